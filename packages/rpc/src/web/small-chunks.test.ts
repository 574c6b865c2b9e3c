import { once } from 'node:events';
import { createServer, IncomingMessage } from 'node:http';
import { type ClientHttp2Stream, connect as connectHttp2 } from 'node:http2';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { create, toBinary } from '@bufbuild/protobuf';
import { expect, onTestFinished, test } from 'vitest';
import { EchoService, ImportEchoesRequestSchema } from '../testing/gen/testing/v1/echo_service_pb.ts';
import { startTestServer } from '../testing/start-test-server.ts';
import { detectProtocol } from './protocol-of-socket.ts';
import { serveInSlices } from './serve-in-slices.ts';

const startWeb = () =>
  startTestServer(
    EchoService,
    {
      importEchoes: async (requests) => ({ received: BigInt((await Array.fromAsync(requests)).length) }),
    },
    { web: {} },
  );

const head = `POST /testing.v1.EchoService/GetEcho HTTP/1.1
Host: a
Authorization: Bearer t
Content-Type: application/json
Transfer-Encoding: chunked

`.replaceAll('\n', '\r\n');
const oneByteChunks = '1\r\n[\r\n'.repeat(20_000);

function open(port: number): Socket {
  const socket = connect(port, '127.0.0.1');
  onTestFinished(() => void socket.destroy());
  return socket.on('error', () => {}).resume();
}

/** Starts a call over HTTP/2. */
function call(webUrl: string, method: string, contentType: string): ClientHttp2Stream {
  const session = connectHttp2(webUrl).on('error', () => {});
  onTestFinished(() => session.destroy());
  return session
    .request({
      ':method': 'POST',
      ':path': `/testing.v1.EchoService/${method}`,
      'content-type': contentType,
      authorization: 'Bearer t',
    })
    .on('error', () => {});
}

/** Sends the data in a frame of its own so many times. Ends early if the stream is closed. */
async function sendFrames(stream: ClientHttp2Stream, count: number, data: Uint8Array): Promise<void> {
  const closed = new Promise((resolve) => stream.once('close', resolve));
  for (let sent = 0; sent < count && !stream.destroyed; sent++)
    await Promise.race([new Promise((resolve) => stream.write(data, resolve)), closed]);
}

test('an HTTP/1.1 connection whose body comes byte by byte is closed, and the log says why', async () => {
  await using server = await startWeb();
  const socket = open(Number(new URL(server.webUrl).port));
  socket.write(head + oneByteChunks);
  await new Promise((resolve) => socket.once('close', resolve));
  await expect
    .poll(() => server.logLines)
    .toMatchObject([{ code: 'RESOURCE_EXHAUSTED', method: expect.stringContaining('GetEcho') }]);
});

test('an HTTP/2 connection whose body comes byte by byte is closed, and the log says why', async () => {
  await using server = await startWeb();
  const stream = call(server.webUrl, 'GetEcho', 'application/json');
  const closed = once(stream.session ?? stream, 'close');
  await sendFrames(stream, 2000, Buffer.from('['));
  await closed;
  await expect.poll(() => server.logLines).toMatchObject([{ code: 'RESOURCE_EXHAUSTED' }]);
});

test('a stream may have thousands of small messages, a frame each', async () => {
  await using server = await startWeb();
  const stream = call(server.webUrl, 'ImportEchoes', 'application/connect+proto');
  const message = toBinary(
    ImportEchoesRequestSchema,
    create(ImportEchoesRequestSchema, { echo: { key: 'A' } }),
  );
  await sendFrames(stream, 3000, Buffer.concat([Buffer.of(0, 0, 0, 0, message.length), message]));
  stream.end();
  const answer = Buffer.concat(await stream.toArray());
  expect(answer.subarray(5, 8)).toEqual(Buffer.of(8, ...[0xb8, 0x17]));
});

test.each([
  ['with the head', true],
  ['after the head', false],
])('the parser of HTTP/1.1 gets no further bytes of a closed connection: a body %s', async (_name, isOne) => {
  let chunks = 0;
  class ClosingRequest extends IncomingMessage {
    override push(): boolean {
      chunks++;
      this.socket.pause();
      this.socket.destroy();
      return false;
    }
  }
  const server = createServer({ IncomingMessage: ClosingRequest });
  const [serve] = server.listeners('connection');
  server.removeAllListeners('connection');
  server.on('connection', (socket) =>
    detectProtocol(socket, 60_000, (_protocol, received) =>
      serveInSlices(socket, received, () => serve?.call(server, socket)),
    ),
  );
  await once(server.listen(0, '127.0.0.1'), 'listening');
  onTestFinished(() => void server.close());
  const socket = open((server.address() as AddressInfo).port);
  const requested = once(server, 'request');
  socket.write(isOne ? head + oneByteChunks : head);
  await requested;
  if (!isOne) socket.write(oneByteChunks);
  await new Promise((resolve) => socket.once('close', resolve));
  expect(chunks).toBeGreaterThan(0);
  // Without slices it gets all that the socket's reads hold, over 10,000.
  expect(chunks).toBeLessThan(1000);
});
