import { gzipSync } from 'node:zlib';
import { create, toBinary } from '@bufbuild/protobuf';
import { describe, expect, test } from 'vitest';
import { Code } from '../errors/rpc-error.ts';
import { callsOfEachKind, handlerOfEachKind } from '../testing/calls-of-each-kind.ts';
import { EchoService, GetEchoResponseSchema } from '../testing/gen/testing/v1/echo_service_pb.ts';
import { grpcFrame } from '../testing/network/raw-http2.ts';
import { rejectionOf } from '../testing/rejection-of.ts';
import { respondRaw, startRawServer } from '../testing/replicas/start-raw-server.ts';
import { startTestServer } from '../testing/start-test-server.ts';
import { createClient } from './create-client.ts';

const kiB = 1024;
const defaultBytes = 4096 * kiB;

const startUnimplemented = () => startRawServer(() => ({ 'grpc-status': Code.UNIMPLEMENTED }));

/** A server that sends this response to each call, compressed or not. */
const startSending = (content: Uint8Array, compressed = false) =>
  startRawServer((_headers, stream) => {
    return respondRaw(stream, {
      headers: compressed ? { 'grpc-encoding': 'gzip' } : {},
      body: grpcFrame(compressed ? gzipSync(content) : content, { compressed }),
      trailers: { 'grpc-status': '0' },
    });
  });

/** Returns the key of a request of this size: one byte for the field, and its length as a varint. */
function keyOf(messageBytes: number): string {
  const lengthBytes = messageBytes < 2 ** 14 ? 2 : messageBytes < 2 ** 21 ? 3 : 4;
  return 'x'.repeat(messageBytes - 1 - lengthBytes);
}

describe('a request', () => {
  test.each([
    ['the default', undefined, defaultBytes],
    ['its own', 100 * kiB, 100 * kiB],
    ['a larger one', 8192 * kiB, 8192 * kiB],
  ])('over %s limit is RESOURCE_EXHAUSTED and not sent', async (_name, maxRequestBytes, limit) => {
    await using server = await startUnimplemented();
    using client = createClient(EchoService, { target: server.target, maxRequestBytes });
    const error = await rejectionOf(client.getEcho({ key: keyOf(limit + 1) }));
    expect(error).toMatchObject({
      code: Code.RESOURCE_EXHAUSTED,
      message: `a request of ${limit + 1} bytes for testing.v1.EchoService/GetEcho is over the limit of ${limit}: see maxRequestBytes of createClient`,
    });
    expect(server.sessions).toHaveLength(0);
    const sent = await rejectionOf(client.getEcho({ key: keyOf(limit) }, { deadlineMs: 60_000 }));
    expect(sent.code).toBe(Code.UNIMPLEMENTED);
  });

  test('of a stream that is over the limit fails its call', async () => {
    await using server = await startTestServer(
      EchoService,
      handlerOfEachKind(async (requests: AsyncIterable<unknown>) => {
        await Array.fromAsync(requests);
        return [];
      }),
    );
    using client = createClient(EchoService, {
      target: server.target,
      token: () => 'a',
      maxRequestBytes: kiB,
    });
    const requests = [{ key: 'A' }, { key: keyOf(kiB + 1) }];
    const error = await rejectionOf(Array.fromAsync(client.exchangeEchoes(requests)));
    expect(error.code).toBe(Code.RESOURCE_EXHAUSTED);
    expect(error.message).toContain('maxRequestBytes');
  });
});

describe.each(callsOfEachKind)('a response to a %s call', (_kind, call) => {
  test.each([
    ['as it is', false],
    ['compressed', true],
  ])('over the limit is RESOURCE_EXHAUSTED, %s', async (_name, compressed) => {
    await using server = await startSending(Buffer.alloc(100 * kiB + 1), compressed);
    using client = createClient(EchoService, { target: server.target, maxResponseBytes: 100 * kiB });
    const error = await rejectionOf(call(client, { deadlineMs: 60_000 }));
    expect(error.code).toBe(Code.RESOURCE_EXHAUSTED);
    expect(error.message).toContain(String(100 * kiB));
    expect(error.message).toContain('maxResponseBytes of createClient');
  });
});

test('a response may be larger than the default limit', async () => {
  const text = 'x'.repeat(5000 * kiB);
  const response = create(GetEchoResponseSchema, { echo: { text } });
  await using server = await startSending(toBinary(GetEchoResponseSchema, response));
  using client = createClient(EchoService, { target: server.target, maxResponseBytes: 8192 * kiB });
  const { echo } = await client.getEcho({ key: 'A' }, { deadlineMs: 60_000 });
  expect(echo?.text).toHaveLength(text.length);
});

test("a server's own status for a large request keeps its text", async () => {
  const message = 'Received message that decompresses to a size larger than 5';
  await using server = await startRawServer(() => ({
    'grpc-status': Code.RESOURCE_EXHAUSTED,
    'grpc-message': message,
  }));
  using client = createClient(EchoService, { target: server.target });
  expect((await rejectionOf(client.getEcho({ key: 'A' }))).message).toBe(message);
});

test('clients with different limits share a connection, and each has its own', async () => {
  await using server = await startSending(Buffer.alloc(100 * kiB));
  const { target } = server;
  using small = createClient(EchoService, { target, maxResponseBytes: 10 * kiB, maxRequestBytes: kiB });
  using large = createClient(EchoService, { target, compression: 'gzip' });
  for (let repetition = 0; repetition < 2; repetition++) {
    expect((await rejectionOf(small.getEcho({ key: 'A' }))).message).toContain(String(10 * kiB));
    // Zeros are no message.
    expect((await rejectionOf(large.getEcho({ key: 'A' }))).message).toContain('parsing error');
  }
  expect(server.sessions).toHaveLength(1);
});

test.each([0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY])('a limit of %d is an error', (limit) => {
  const target = '127.0.0.1:1';
  expect(() => createClient(EchoService, { target, maxRequestBytes: limit })).toThrow('maxRequestBytes must');
  expect(() => createClient(EchoService, { target, maxResponseBytes: limit })).toThrow(
    'maxResponseBytes must',
  );
});
