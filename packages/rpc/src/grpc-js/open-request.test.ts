import { once } from 'node:events';
import {
  type ClientHttp2Stream,
  connect,
  constants,
  type OutgoingHttpHeaders,
  type Settings,
} from 'node:http2';
import { gzipSync } from 'node:zlib';
import { create, type DescMethod, toBinary } from '@bufbuild/protobuf';
import { expect, test, vi } from 'vitest';
import { methodPath } from '../call/method-name.ts';
import { Code } from '../errors/rpc-error.ts';
import { handlerOfEachKind, requestsOfEachKind } from '../testing/calls-of-each-kind.ts';
import { recordCrashes } from '../testing/crashes.ts';
import { EchoService, ImportEchoesRequestSchema } from '../testing/gen/testing/v1/echo_service_pb.ts';
import { connectRaw, grpcFrame } from '../testing/network/raw-http2.ts';
import { startTestServer } from '../testing/start-test-server.ts';
import { collectTelemetry } from '../testing/telemetry/collect-telemetry.ts';

const { getEcho, watchEchoes, importEchoes, exchangeEchoes } = EchoService.method;
const methods = [getEcho, watchEchoes, importEchoes, exchangeEchoes];
const unauthenticated = { authorization: undefined };
/** The contract's maximum deadline. */
const patient = { 'grpc-timeout': '5S' };
const mebibyte = Buffer.alloc(1024 * 1024);

/** Opens streams on a connection without ending them. */
function openStreams(target: string, settings: Settings = {}) {
  const session = connect(`http://${target}`, { settings });
  session.on('error', () => {});
  return {
    session,
    open: (method: DescMethod, headers: OutgoingHttpHeaders = {}) => {
      const stream = session.request({
        ':method': 'POST',
        ':path': methodPath(method),
        'content-type': 'application/grpc',
        te: 'trailers',
        authorization: 'Bearer test-token',
        ...headers,
      });
      stream.on('error', () => {});
      return stream;
    },
    [Symbol.dispose]: () => session.destroy(),
  };
}

async function statusOf(stream: ClientHttp2Stream): Promise<number> {
  const [headers] = await once(stream, 'response');
  return Number(headers['grpc-status']);
}

test.each(methods)(
  'a $methodKind call without a token is rejected on its headers, and its stream closed before its request ends',
  async (method) => {
    await using server = await startTestServer(EchoService, {});
    using connection = openStreams(server.target);
    const stream = connection.open(method, unauthenticated);
    stream.write(grpcFrame(mebibyte, { length: mebibyte.length + 1 }));
    expect(await statusOf(stream)).toBe(Code.UNAUTHENTICATED);
    stream.resume();
    await once(stream, 'close');
    expect(stream.rstCode).toBe(constants.NGHTTP2_NO_ERROR);
  },
);

test.each(['abc', '1n'])(
  'a call with grpc-timeout %s ends at once, and its stream is closed before its request ends',
  async (timeout) => {
    await using server = await startTestServer(EchoService, {});
    using connection = openStreams(server.target);
    for (const method of methods) {
      const stream = connection.open(method, { 'grpc-timeout': timeout }).resume();
      await once(stream, 'close');
      expect(stream.rstCode).toBe(constants.NGHTTP2_NO_ERROR);
    }
  },
);

test('a stream whose caller grants no window for the status is reset after the deadline', async () => {
  await using server = await startTestServer(EchoService, {});
  using connection = openStreams(server.target, { initialWindowSize: 0 });
  // The answer has headers. Without a window no trailers can follow.
  const streams = methods.map((method) =>
    connection.open(method, { 'grpc-encoding': 'br', 'grpc-timeout': '100m' }).end().resume(),
  );
  // `once` of node:events rejects on the error that a reset is.
  await Promise.all(streams.map((stream) => new Promise((resolve) => stream.once('close', resolve))));
  expect(streams.map(({ rstCode }) => rstCode)).toEqual(
    methods.map(() => constants.NGHTTP2_ENHANCE_YOUR_CALM),
  );
});

test('a compressed request of a caller without a token is not decompressed', async () => {
  await using server = await startTestServer(EchoService, {});
  await using connection = await connectRaw(server.target);
  const bomb = grpcFrame(gzipSync(Buffer.alloc(64 * 1024 * 1024)), { compressed: true });
  const encoding = { 'grpc-encoding': 'gzip' };
  const answer = await connection.post(methodPath(getEcho), bomb, { ...unauthenticated, ...encoding });
  // Decompression would have failed: the body is not gzip, or too long.
  expect(answer.code).toBe(Code.UNAUTHENTICATED);
  expect(await connection.post(methodPath(getEcho), bomb, encoding)).toMatchObject({
    code: Code.RESOURCE_EXHAUSTED,
  });
});

test.each([
  ['a compressed message without a grpc-encoding', {}, Code.INTERNAL],
  ['a message in an unknown encoding', { 'grpc-encoding': 'br' }, Code.UNIMPLEMENTED],
])('%s is rejected, and the log has the code that was sent', async (_name, headers, code) => {
  await using server = await startTestServer(EchoService, handlerOfEachKind(readAll));
  await using connection = await connectRaw(server.target);
  for (const method of methods)
    expect(
      await connection.post(methodPath(method), grpcFrame(gzipSync('A'), { compressed: true }), headers),
    ).toMatchObject({ code });
  expect(server.logLines.filter(({ msg }) => msg === 'call').map((line) => line.code)).toEqual(
    methods.map(() => Code[code]),
  );
});

test('a call in an unknown encoding is rejected even without a compressed message, and the answer names the known ones', async () => {
  await using server = await startTestServer(EchoService, handlerOfEachKind(readAll));
  await using connection = await connectRaw(server.target);
  // Every object has the properties `constructor` and `toString`.
  for (const encoding of ['br', 'constructor', 'toString', '__proto__', ''])
    for (const method of methods) {
      const { code, headers } = await connection.post(methodPath(method), grpcFrame(Buffer.alloc(0)), {
        'grpc-encoding': encoding,
      });
      expect({ code, accepted: headers['grpc-accept-encoding'] }).toEqual({
        code: Code.UNIMPLEMENTED,
        accepted: 'identity,deflate,gzip',
      });
    }
});

test.each([
  ['within a message', grpcFrame(Buffer.alloc(3), { length: 4 })],
  ['within the prefix of a message', Buffer.alloc(4)],
])('a request that ends %s is INTERNAL for every kind of call', async (_name, body) => {
  await using server = await startTestServer(EchoService, handlerOfEachKind(readAll));
  await using connection = await connectRaw(server.target);
  for (const method of methods)
    expect(await connection.post(methodPath(method), body)).toMatchObject({
      code: Code.INTERNAL,
      message: 'the request ends within a message',
    });
});

test.each(requestsOfEachKind)(
  'a request of %s that ends within a second message is INTERNAL',
  async (method, request) => {
    await using server = await startTestServer(EchoService, handlerOfEachKind(readAll));
    await using connection = await connectRaw(server.target);
    const body = Buffer.concat([grpcFrame(request), Buffer.alloc(2)]);
    expect(await connection.post(methodPath(method), body)).toMatchObject({ code: Code.INTERNAL });
  },
);

test.each(methods)('a $methodKind call that is reset within a message is CANCELLED', async (method) => {
  await using server = await startTestServer(EchoService, handlerOfEachKind(readAll));
  using connection = openStreams(server.target);
  const stream = connection.open(method, patient);
  stream.write(grpcFrame(Buffer.alloc(3), { length: 4 }), () => stream.close(constants.NGHTTP2_CANCEL));
  const codes = () => server.logLines.filter(({ msg }) => msg === 'call').map(({ code }) => code);
  await vi.waitUntil(() => codes().length > 0, { timeout: 15_000 });
  expect(codes()).toEqual(['CANCELLED']);
});

test('above the memory budget only the caller with the most unfinished requests loses them', async () => {
  await using server = await startTestServer(
    EchoService,
    { getEcho: async () => ({}) },
    {
      verifyToken: async (subject) => ({ subject, scopes: new Set(['echo:read']) }),
      memoryBudgetBytes: 4 * mebibyte.length,
    },
  );
  using greedy = openStreams(server.target);
  using modest = openStreams(server.target);
  const unfinished = grpcFrame(mebibyte.subarray(1), { length: mebibyte.length });
  const own = modest.open(getEcho, { authorization: 'Bearer modest', ...patient });
  own.write(unfinished);
  const streams = Array.from({ length: 8 }, () =>
    greedy.open(getEcho, { authorization: 'Bearer greedy', ...patient }),
  );
  const statuses: number[] = [];
  const evicted = Promise.withResolvers<void>();
  for (const stream of streams) {
    stream.write(unfinished);
    statusOf(stream).then(
      (status) => statuses.push(status) === 5 && evicted.resolve(),
      () => {},
    );
  }
  await evicted.promise;
  expect(new Set(statuses)).toEqual(new Set([Code.RESOURCE_EXHAUSTED]));
  own.end(Buffer.alloc(1));
  // A message of zeros is not a GetEchoRequest. The error shows that it was read to its end.
  expect(await statusOf(own)).toBe(Code.INTERNAL);
});

async function readAll(requests: AsyncIterable<unknown>) {
  return await Array.fromAsync(requests);
}

test('a message of a stream is decompressed after the previous one was read', async () => {
  const row = toBinary(ImportEchoesRequestSchema, create(ImportEchoesRequestSchema, { echo: { key: 'A' } }));
  const cut = grpcFrame(gzipSync(row).subarray(0, 12), { compressed: true });
  const whole = grpcFrame(gzipSync(row), { compressed: true });
  const received: number[] = [];
  const more = Promise.withResolvers<void>();
  await using server = await startTestServer(EchoService, {
    importEchoes: async (requests) => {
      for await (const _row of requests) {
        received.push(received.length);
        // Time for the next message to be decompressed, which would end the call.
        if (received.length === 1) await more.promise;
      }
      return {};
    },
  });
  await using connection = await connectRaw(server.target);
  const body = Buffer.concat([whole, whole, cut]);
  const answer = connection.post(methodPath(importEchoes), body, { 'grpc-encoding': 'gzip' });
  await connection.post(methodPath(getEcho), grpcFrame(Buffer.alloc(0)));
  more.resolve();
  expect(await answer).toMatchObject({ code: Code.INTERNAL, message: 'the request cannot be decompressed' });
  expect(received).toEqual([0, 1]);
});

test.each([
  ['a second compressed message', grpcFrame(gzipSync(''), { compressed: true })],
  // They all wait for the compressed message, and grpc-js then hands them over at once.
  ['a packet of thousands of messages', Buffer.alloc(3000 * grpcFrame(Buffer.alloc(0)).length)],
])('%s in a unary request is rejected, and does not end the process', async (_name, rest) => {
  using crashes = recordCrashes();
  await using server = await startTestServer(EchoService, handlerOfEachKind(readAll));
  await using connection = await connectRaw(server.target);
  const first = grpcFrame(gzipSync(''), { compressed: true });
  const headers = { 'grpc-encoding': 'gzip', ...patient };
  for (const method of [getEcho, watchEchoes])
    expect(await connection.post(methodPath(method), Buffer.concat([first, rest]), headers)).toMatchObject({
      code: Code.UNIMPLEMENTED,
      message: 'a second request message came for a unary request',
    });
  expect(crashes.reasons).toEqual([]);
});

test('a loop over the requests that outlives its call ends with the stream', async () => {
  const ended: string[] = [];
  const read = async (requests: AsyncIterable<unknown>, name: string) => {
    for await (const _request of requests);
    ended.push(name);
  };
  const begun = Promise.withResolvers<void>();
  await using server = await startTestServer(EchoService, {
    async *exchangeEchoes(requests) {
      void read(requests, 'begun before the answer');
      yield {};
    },
    importEchoes: async (requests) => {
      void begun.promise.then(() => read(requests, 'begun after the end'));
      return {};
    },
  });
  using connection = openStreams(server.target);
  for (const method of [exchangeEchoes, importEchoes])
    await once(connection.open(method, patient).resume(), 'close');
  begun.resolve();
  await vi.waitUntil(() => ended.length === 2, { timeout: 15_000 });
  expect(ended).toEqual(['begun before the answer', 'begun after the end']);
});

test('bytes that are decompressed after the end of their call are not counted', async () => {
  await using telemetry = collectTelemetry();
  await using server = await startTestServer(EchoService, { getEcho: async () => ({}) });
  using connection = openStreams(server.target);
  await using other = await connectRaw(server.target);
  const encoding = { 'grpc-encoding': 'gzip' };
  const message = grpcFrame(gzipSync(mebibyte), { compressed: true });
  // More than the process decompresses at a time.
  const streams = Array.from({ length: 6 }, () => connection.open(getEcho, { ...encoding, ...patient }));
  for (const stream of streams) stream.write(message);
  await other.post(methodPath(getEcho), Buffer.alloc(0));
  for (const stream of streams) stream.close(constants.NGHTTP2_CANCEL);
  const ended = () => server.logLines.filter(({ msg }) => msg === 'call');
  await vi.waitUntil(() => ended().length === streams.length + 1, { timeout: 15_000 });
  for (const _stream of streams) await other.post(methodPath(getEcho), message, encoding);
  const usage = async () => (await telemetry.points('rpc.server.memory_budget.usage'))[0]?.value;
  await expect.poll(usage).toBe(0);
});
