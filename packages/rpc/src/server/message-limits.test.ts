import { gzipSync } from 'node:zlib';
import { create, toBinary } from '@bufbuild/protobuf';
import { describe, expect, test } from 'vitest';
import { methodPath } from '../call/method-name.ts';
import { Code } from '../errors/rpc-error.ts';
import { callsOfEachKind } from '../testing/calls-of-each-kind.ts';
import {
  EchoService,
  ExchangeEchoesRequestSchema,
  ExchangeEchoesResponseSchema,
} from '../testing/gen/testing/v1/echo_service_pb.ts';
import { connectRaw, grpcFrame } from '../testing/network/raw-http2.ts';
import { rejectionOf } from '../testing/rejection-of.ts';
import { startTestServer } from '../testing/start-test-server.ts';
import { requireRequestLimit, resolveMessageLimits } from './message-limits.ts';

const mebibyte = 1024 * 1024;

/** Answers each request with a response of the same size. Its messages have no validation rules. */
const exchange = {
  async *exchangeEchoes(requests: AsyncIterable<{ key: string }>) {
    for await (const { key } of requests) yield { key };
  },
};

/** Returns a key with which the encoded request has exactly this size. */
function keyOf(sizeBytes: number): string {
  const length = (key: string) =>
    toBinary(ExchangeEchoesRequestSchema, create(ExchangeEchoesRequestSchema, { key })).length;
  const key = 'x'.repeat(sizeBytes - 5);
  return key + 'x'.repeat(sizeBytes - length(key));
}

test('messages up to raised limits are served in both directions, and larger ones are rejected', async () => {
  const limits = { maxRequestBytes: 3 * mebibyte, maxResponseBytes: 3 * mebibyte };
  await using server = await startTestServer(EchoService, exchange, limits);
  const send = (sizeBytes: number) =>
    Array.fromAsync(server.client.exchangeEchoes([{ key: keyOf(sizeBytes) }]));
  const [response] = await send(3 * mebibyte);
  expect(response?.key).toHaveLength(keyOf(3 * mebibyte).length);
  expect(await rejectionOf(send(3 * mebibyte + 1))).toMatchObject({
    code: Code.RESOURCE_EXHAUSTED,
    message: `a request message takes over ${3 * mebibyte} bytes`,
  });
});

test('the limit of responses is independent of that of requests', async () => {
  const limits = { maxRequestBytes: 2 * mebibyte, maxResponseBytes: mebibyte };
  await using server = await startTestServer(EchoService, exchange, limits);
  const calls = server.client.exchangeEchoes([{ key: keyOf(mebibyte) }, { key: keyOf(mebibyte + 1) }]);
  expect((await calls.next()).done).toBe(false);
  expect(await rejectionOf(calls.next())).toMatchObject({
    code: Code.RESOURCE_EXHAUSTED,
    message: `the response takes ${mebibyte + 1} bytes, at most ${mebibyte} are allowed`,
  });
});

test('a lower limit of responses holds for all kinds', async () => {
  const large = { echo: { key: 'A', text: 'x'.repeat(200) } };
  await using server = await startTestServer(
    EchoService,
    {
      getEcho: async () => large,
      importEchoes: async () => ({ received: 2n ** 40n }),
      async *watchEchoes() {
        yield large;
      },
      async *exchangeEchoes() {
        yield { key: 'x'.repeat(200) };
      },
    },
    { maxResponseBytes: 5 },
  );
  for (const [, call] of callsOfEachKind)
    expect(await rejectionOf(call(server.client))).toMatchObject({ code: Code.RESOURCE_EXHAUSTED });
});

test('a compressed request is decompressed up to the raised limit', async () => {
  const maxRequestBytes = 3 * mebibyte;
  await using server = await startTestServer(EchoService, exchange, {
    maxRequestBytes,
    maxResponseBytes: 3 * mebibyte,
  });
  await using connection = await connectRaw(server.target);
  const post = (sizeBytes: number) => {
    const request = create(ExchangeEchoesRequestSchema, { key: keyOf(sizeBytes) });
    const body = grpcFrame(gzipSync(toBinary(ExchangeEchoesRequestSchema, request)), { compressed: true });
    return connection.post(methodPath(EchoService.method.exchangeEchoes), body, { 'grpc-encoding': 'gzip' });
  };
  const { code, body } = await post(maxRequestBytes);
  expect(code).toBe(Code.OK);
  const response = create(ExchangeEchoesResponseSchema, { key: keyOf(maxRequestBytes) });
  expect(body.length).toBe(5 + toBinary(ExchangeEchoesResponseSchema, response).length);
  expect(await post(maxRequestBytes + 1)).toMatchObject({ code: Code.RESOURCE_EXHAUSTED });
});

describe('at the start', () => {
  test('every limit has a default', () => {
    expect(resolveMessageLimits({})).toEqual({
      maxRequestBytes: mebibyte,
      maxResponseBytes: mebibyte,
      memoryBudgetBytes: 32 * mebibyte,
    });
  });

  test.each(['maxRequestBytes', 'maxResponseBytes'] as const)(
    '%s must be a whole number of bytes, of which the memory budget holds four',
    async (name) => {
      for (const value of [0, -1, 1.5, Number.NaN])
        expect(() => resolveMessageLimits({ [name]: value })).toThrow(
          `${name} must be a whole number over 0`,
        );
      expect(resolveMessageLimits({ [name]: 8 * mebibyte })).toMatchObject({ [name]: 8 * mebibyte });
      expect(() => resolveMessageLimits({ [name]: 16 * mebibyte })).toThrow(
        `${name} is 16777216, and the memory budget of 33554432 bytes must hold 4 such messages: lower it, or raise memoryBudgetBytes to 67108864`,
      );
      const raised = { [name]: 16 * mebibyte, memoryBudgetBytes: 64 * mebibyte };
      expect(resolveMessageLimits(raised)).toMatchObject(raised);
      for (const value of [0, Number.NaN, 16 * mebibyte])
        await expect(startTestServer(EchoService, {}, { [name]: value })).rejects.toThrow(name);
    },
  );

  test('the memory budget must be a whole number of bytes, because any other number would be no limit', () => {
    for (const memoryBudgetBytes of [0, -1, Number.NaN, Number.POSITIVE_INFINITY])
      expect(() => resolveMessageLimits({ memoryBudgetBytes })).toThrow(
        'memoryBudgetBytes must be a whole number over 0',
      );
  });

  test('a policy that permits larger requests than the server is rejected with the name of its method', () => {
    const method = (maxRequestBytes?: number) => ({
      name: 'shop.v1.ShopService/Open',
      policy: { deadlineMs: 1, maxDeadlineMs: 1, scopes: [], maxRequestBytes },
    });
    requireRequestLimit(method(), 100);
    requireRequestLimit(method(100), 100);
    expect(() => requireRequestLimit(method(101), 100)).toThrow(
      "shop.v1.ShopService/Open: the maxRequestBytes of its policy, 101, is over the server's, 100",
    );
  });
});
