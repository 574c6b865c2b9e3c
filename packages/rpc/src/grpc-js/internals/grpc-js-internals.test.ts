import { once } from 'node:events';
import { gzipSync } from 'node:zlib';
import {
  Server,
  ServerCredentials,
  type ServerDuplexStream,
  ServerInterceptingCall,
  type ServerInterceptingCallInterface,
} from '@grpc/grpc-js';
import { expect, test } from 'vitest';
import { connectFrames, dataFrame, headersFrame } from '../../testing/network/raw-frames.ts';
import { connectRaw, grpcFrame } from '../../testing/network/raw-http2.ts';
import { disableDeadline, http2StreamOf, receiveThrough, setHeaderOptions } from './grpc-js-internals.ts';

type Call = ServerDuplexStream<Buffer, Buffer>;
type InnerCall = ServerInterceptingCallInterface;

interface Decoder {
  readonly readCompressFlag: Buffer;
  readonly readPartialMessage: readonly Buffer[];
}

/** Starts a grpc-js server with one method, whose handler is called on the headers. */
async function start(handle: (call: Call, inner: InnerCall) => void, prepare = (_server: Server) => {}) {
  const inner: InnerCall[] = [];
  const server = new Server({
    interceptors: [
      (_method, call) => {
        inner.push(call);
        return new ServerInterceptingCall(call);
      },
    ],
  });
  prepare(server);
  const same = (bytes: Buffer) => bytes;
  const method = {
    path: '/test/Call',
    requestStream: true,
    responseStream: true,
    ...{
      requestSerialize: same,
      requestDeserialize: same,
      responseSerialize: same,
      responseDeserialize: same,
    },
  };
  server.addService({ call: method }, { call: (call: Call) => handle(call, inner.shift() as InnerCall) });
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    );
  });
  const connection = await connectRaw(`127.0.0.1:${port}`);
  return {
    port,
    post: (body: Buffer, headers = {}) => connection.post('/test/Call', body, headers),
    [Symbol.asyncDispose]: async () => {
      await connection[Symbol.asyncDispose]();
      server.forceShutdown();
    },
  };
}

test('a receiver sees the bytes of a request, and decompresses its messages', async () => {
  const seen = { sizeBytes: 0, encodings: [] as string[], messages: [] as string[] };
  await using server = await start((call, inner) => {
    receiveThrough(inner, {
      maxMessageBytes: 100,
      onBytes: (sizeBytes) => (seen.sizeBytes += sizeBytes),
      onFragmented: () => {},
      onOversized: () => {},
      decompress: async (content, encoding) => {
        seen.encodings.push(encoding);
        return Buffer.from(`${content.length} bytes`);
      },
    });
    call.on('data', (message: Buffer) => seen.messages.push(message.toString())).on('end', () => call.end());
  });
  const compressed = gzipSync('B');
  const body = Buffer.concat([grpcFrame(Buffer.from('A')), grpcFrame(compressed, { compressed: true })]);
  expect(await server.post(body, { 'grpc-encoding': 'gzip' })).toMatchObject({ code: 0 });
  expect(seen).toEqual({
    sizeBytes: body.length,
    encodings: ['gzip'],
    messages: ['A', `${compressed.length} bytes`],
  });
});

test('a receiver is called for a message over its limit, in place of the status of grpc-js', async () => {
  let oversized = 0;
  await using server = await start((call, inner) => {
    receiveThrough(inner, {
      maxMessageBytes: 3,
      onBytes: () => {},
      onFragmented: () => {},
      onOversized: () => {
        oversized++;
        call.emit('error', { code: 9, details: 'too long' });
      },
      decompress: async (content) => content,
    });
    call.resume();
  });
  expect(await server.post(grpcFrame(Buffer.from('four')))).toMatchObject({ code: 9, message: 'too long' });
  expect(oversized).toBe(1);
});

test('a message that arrives byte by byte is kept in few parts, without the packets that it came in', async () => {
  const kept = { parts: 0, sizeBytes: 0 };
  const message = Buffer.from(Array.from({ length: 900 }, (_, index) => index % 251));
  const received = Promise.withResolvers<Buffer>();
  await using server = await start((call, inner) => {
    const { decoder } = inner as unknown as { decoder: Decoder };
    const measure = () => {
      const parts = [decoder.readCompressFlag, ...decoder.readPartialMessage];
      const buffers = new Set(parts.map(({ buffer }) => buffer));
      kept.parts = Math.max(kept.parts, parts.length);
      kept.sizeBytes = Math.max(
        kept.sizeBytes,
        [...buffers].reduce((sum, { byteLength }) => sum + byteLength, 0),
      );
    };
    receiveThrough(inner, {
      maxMessageBytes: 4096,
      onBytes: measure,
      onFragmented: () => {},
      onOversized: () => {},
      decompress: async (content) => content,
    });
    call.on('data', received.resolve).on('error', () => {});
  });
  using connection = await connectFrames(server.port);
  connection.send(
    headersFrame({
      ':method': 'POST',
      ':scheme': 'http',
      ':path': '/test/Call',
      ':authority': 'a',
      'content-type': 'application/grpc',
      te: 'trailers',
    }),
    ...Array.from(grpcFrame(message), (byte) => dataFrame(Buffer.of(byte))),
  );
  expect(await received.promise).toEqual(message);
  expect(kept.parts).toBeLessThan(16);
  // The flag is one for all calls, from the pool of Node.
  expect(kept.sizeBytes).toBeLessThan(Buffer.poolSize + 2 * message.length);
});

test('a message in thousands of small frames ends its connection', async () => {
  let fragmented = 0;
  let messages = 0;
  await using server = await start((call, inner) => {
    receiveThrough(inner, {
      maxMessageBytes: 1024 * 1024,
      onBytes: () => {},
      onFragmented: () => {
        fragmented++;
      },
      onOversized: () => {},
      decompress: async (content) => content,
    });
    call.on('data', () => messages++).on('error', () => {});
  });
  using connection = await connectFrames(server.port);
  const head = headersFrame({
    ':method': 'POST',
    ':scheme': 'http',
    ':authority': 'a',
    ':path': '/test/Call',
    'content-type': 'application/grpc',
    te: 'trailers',
  });
  // Small messages are no fragments.
  const small = Array.from({ length: 2000 }, () => dataFrame(grpcFrame(Buffer.of(1))));
  const bytes = Array.from(grpcFrame(Buffer.alloc(5000)), (byte) => dataFrame(Buffer.of(byte)));
  connection.send(head, ...small);
  await expect.poll(() => messages).toBe(2000);
  expect(fragmented).toBe(0);
  connection.send(...bytes);
  await expect.poll(() => fragmented).toBe(1);
});

test('a call without its deadline outlives it, and its stream can be reset', async () => {
  await using server = await start(async (call, inner) => {
    disableDeadline(inner);
    await once(call, 'data');
    setTimeout(() => http2StreamOf(inner).close(8), 20);
  });
  expect(await server.post(grpcFrame(Buffer.from('A')), { 'grpc-timeout': '1m' })).toMatchObject({
    code: undefined,
  });
});

test('a server resets a stream whose header list is over the limit, and the connection stays open', async () => {
  await using server = await start(
    (call) => void call.resume().on('end', () => call.end()),
    (server) => setHeaderOptions(server, 8 * 1024),
  );
  expect(await server.post(Buffer.alloc(0))).toMatchObject({ code: 0 });
  await expect(server.post(Buffer.alloc(0), { 'x-big': 'x'.repeat(9 * 1024) })).rejects.toThrow(
    'ENHANCE_YOUR_CALM',
  );
  expect(await server.post(Buffer.alloc(0), { 'x-big': 'x'.repeat(7 * 1024) })).toMatchObject({ code: 0 });
});
