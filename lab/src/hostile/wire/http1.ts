import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { text } from 'node:stream/consumers';
import { connectRaw, type RawConnection, type RawConnectionOptions } from './raw-connection.ts';

export interface Http1Request {
  readonly path: string;
  readonly token?: string | undefined;
  readonly contentType?: string;
  readonly encoding?: string;
  /** Announced length of the body. Without one the body comes in chunks. */
  readonly contentLength?: number;
}

/** Returns the head of a POST request. */
export function requestHead({ path, token, contentType, encoding, contentLength }: Http1Request): string {
  const headers = {
    Host: 'localhost',
    'Content-Type': contentType ?? 'application/json',
    ...(contentLength === undefined
      ? { 'Transfer-Encoding': 'chunked' }
      : { 'Content-Length': contentLength }),
    ...(token && { Authorization: `Bearer ${token}` }),
    ...(encoding && { 'Content-Encoding': encoding }),
  };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return `POST ${path} HTTP/1.1\r\n${lines.join('')}\r\n`;
}

/** Opens a connection and sends a text. */
export async function sendHttp1(
  port: number,
  bytes: string | Buffer,
  options: RawConnectionOptions = {},
): Promise<RawConnection> {
  const connection = await connectRaw(port, { ...options, greets: false });
  await connection.write(Buffer.from(bytes));
  return connection;
}

/** Another address of this machine, whose calls share no limit with those of the attack. */
const otherAddress = '127.0.0.2';

/** Calls a method by Connect in JSON, from another address than the attack. Returns the HTTP status and the answer. */
export async function callFromElsewhere(
  port: number,
  path: string,
  token: string,
  body: string,
): Promise<{ status: number | undefined; answer: string }> {
  const sending = request({
    port,
    path,
    host: '127.0.0.1',
    localAddress: otherAddress,
    method: 'POST',
    agent: false,
    timeout: 10_000,
    headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
  });
  sending.on('timeout', () => sending.destroy(new Error('no answer within 10 s')));
  sending.end(body);
  const [response] = (await once(sending, 'response')) as [IncomingMessage];
  return { status: response.statusCode, answer: await text(response) };
}
