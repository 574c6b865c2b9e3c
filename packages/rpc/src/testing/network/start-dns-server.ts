import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { isIPv4 } from 'node:net';

/** A DNS server for A and AAAA records. */
export interface DnsServer extends AsyncDisposable {
  /** `127.0.0.1:PORT`, for `setServers` of `node:dns`. */
  readonly address: string;
  /** Addresses by name, in lower case. A test changes them. Other names do not exist (NXDOMAIN), and silent ones time out. */
  readonly records: Map<string, readonly string[] | 'silent'>;
  /** The name of each query so far. A look-up of both address families has two queries. */
  readonly queries: readonly string[];
}

const headerBytes = 12;
/** A response (QR) of the authority (AA), to a recursive query (RD, RA). */
const responseFlags = 0x8580;
const nameMissing = 3;
const typeA = 1;
const typeAaaa = 28;
const classInternet = 1;
/** Points to the name of the question. */
const namePointer = 0xc000 | headerBytes;
const ttlSeconds = 1;

/** Starts a DNS server on UDP (RFC 1035). The default is a free port of 127.0.0.1. */
export async function startDnsServer({ host = '127.0.0.1', port = 0 } = {}): Promise<DnsServer> {
  const records = new Map<string, readonly string[] | 'silent'>();
  const queries: string[] = [];
  const socket = createSocket('udp4');
  const server = {
    records,
    queries,
    [Symbol.asyncDispose]: () => new Promise<void>((resolve) => socket.close(resolve)),
  };
  socket.on('message', (query, { address, port }) => {
    const { name, type, question } = questionOf(query);
    queries.push(name);
    const addresses = records.get(name.toLowerCase());
    if (addresses === 'silent') return;
    const answers = (addresses ?? []).filter((each) => (isIPv4(each) ? typeA : typeAaaa) === type);
    const header = Buffer.alloc(headerBytes);
    query.copy(header, 0, 0, 2);
    header.writeUInt16BE(responseFlags | (addresses ? 0 : nameMissing), 2);
    header.writeUInt16BE(1, 4);
    header.writeUInt16BE(answers.length, 6);
    socket.send(Buffer.concat([header, question, ...answers.map(recordOf)]), port, address);
  });
  socket.bind(port, host);
  await once(socket, 'listening');
  return Object.assign(server, { address: `${host}:${socket.address().port}` });
}

function questionOf(query: Buffer) {
  const labels: string[] = [];
  let at = headerBytes;
  for (let length = query.readUInt8(at); length > 0; length = query.readUInt8(at)) {
    labels.push(query.toString('latin1', at + 1, at + 1 + length));
    at += 1 + length;
  }
  // The empty label, the type and the class.
  return {
    name: labels.join('.'),
    type: query.readUInt16BE(at + 1),
    question: query.subarray(headerBytes, at + 5),
  };
}

function recordOf(address: string): Buffer {
  const bytes = bytesOf(address);
  const head = Buffer.alloc(12);
  head.writeUInt16BE(namePointer, 0);
  head.writeUInt16BE(isIPv4(address) ? typeA : typeAaaa, 2);
  head.writeUInt16BE(classInternet, 4);
  head.writeUInt32BE(ttlSeconds, 6);
  head.writeUInt16BE(bytes.length, 10);
  return Buffer.concat([head, bytes]);
}

function bytesOf(address: string): Buffer {
  if (isIPv4(address)) return Buffer.from(address.split('.').map(Number));
  const [head = '', tail] = address.split('::');
  const groups = (text = '') => (text === '' ? [] : text.split(':'));
  const zeros = tail === undefined ? 0 : 8 - groups(head).length - groups(tail).length;
  const all = [...groups(head), ...Array<string>(zeros).fill('0'), ...groups(tail)];
  return Buffer.from(all.map((group) => group.padStart(4, '0')).join(''), 'hex');
}
