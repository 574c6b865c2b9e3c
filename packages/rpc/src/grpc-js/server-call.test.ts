import { expect, test } from 'vitest';
import type { CallContext } from '../call/call-context.ts';
import { methodPath } from '../call/method-name.ts';
import { policyOf } from '../call/policy.ts';
import { Code } from '../errors/rpc-error.ts';
import { EchoService } from '../testing/gen/testing/v1/echo_service_pb.ts';
import { connectRaw, grpcFrame } from '../testing/network/raw-http2.ts';
import { startTestServer } from '../testing/start-test-server.ts';

const exchangeEchoes = methodPath(EchoService.method.exchangeEchoes);
const listEchoes = methodPath(EchoService.method.listEchoes);
const empty = grpcFrame(Buffer.alloc(0));

test.each([
  ['abc', Code.INTERNAL],
  ['0m', Code.DEADLINE_EXCEEDED],
  ['1n', Code.DEADLINE_EXCEEDED],
])('a call with grpc-timeout %s ends at once, with its code', async (timeout, code) => {
  await using server = await startTestServer(EchoService, {
    listEchoes: () => new Promise(() => {}),
    async *exchangeEchoes() {
      yield await new Promise<never>(() => {});
    },
  });
  await using connection = await connectRaw(server.target);
  for (const path of [listEchoes, exchangeEchoes]) {
    const answer = await connection.post(path, empty, { 'grpc-timeout': timeout });
    expect(answer).toMatchObject({ httpStatus: 200, code });
  }
});

// grpc-js truncates to 31 bits of milliseconds: 720 hours become -19 days, and 1194 hours a few minutes.
test.each(['720H', '1194H', '2592000S', '99999999H'])(
  "a call with grpc-timeout %s is served with the contract's maximum deadline",
  async (timeout) => {
    const deadline = Promise.withResolvers<number>();
    await using server = await startTestServer(EchoService, {
      listEchoes: async (_request, context) => {
        deadline.resolve(context.deadlineAtMs);
        return {};
      },
    });
    await using connection = await connectRaw(server.target);
    const sentMs = Date.now();
    expect(await connection.post(listEchoes, empty, { 'grpc-timeout': timeout })).toMatchObject({
      code: Code.OK,
    });
    const { maxDeadlineMs } = policyOf(EchoService.method.listEchoes);
    expect((await deadline.promise) - sentMs).toBeGreaterThanOrEqual(maxDeadlineMs);
    expect((await deadline.promise) - Date.now()).toBeLessThanOrEqual(maxDeadlineMs);
  },
);

test.each<[string, string | undefined, unknown]>([
  ["the caller's request id is taken over", 'order-17', 'order-17'],
  ['a missing request id is made up', undefined, expect.stringMatching(/^[0-9a-f-]{36}$/)],
  ['a request id that is too long is replaced', 'x'.repeat(129), expect.stringMatching(/^[0-9a-f-]{36}$/)],
  ['a request id with a blank is replaced', 'a b', expect.stringMatching(/^[0-9a-f-]{36}$/)],
])('%s, and is on every log line', async (_name, sent, expected) => {
  const seen = Promise.withResolvers<CallContext>();
  await using server = await startTestServer(EchoService, {
    listEchoes: async (_request, context) => {
      seen.resolve(context);
      context.log.info('from the handler');
      return {};
    },
  });
  await server.client.listEchoes({}, { metadata: sent === undefined ? {} : { 'x-request-id': sent } });
  const { requestId } = await seen.promise;
  expect(requestId).toEqual(expected);
  expect(server.logLines.map((line) => [line.msg, line.request_id])).toEqual([
    ['from the handler', requestId],
    ['call', requestId],
  ]);
});

test('a handler reads text metadata by its lower-case name, and undefined for a missing key', async () => {
  const seen = Promise.withResolvers<CallContext>();
  await using server = await startTestServer(EchoService, {
    listEchoes: async (_request, context) => {
      seen.resolve(context);
      return {};
    },
  });
  await server.client.listEchoes({}, { metadata: { 'X-Tenant': 'north' } });
  const { metadata, peer } = await seen.promise;
  expect([metadata('x-tenant'), metadata('x-other')]).toEqual(['north', undefined]);
  expect(peer).toMatch(/^127\.0\.0\.1:\d+$/);
});
