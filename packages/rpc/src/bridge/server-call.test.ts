import { InventoryService } from '@acme/gen/inventory/v1/inventory_service_pb';
import { expect, test } from 'vitest';
import type { CallContext } from '../call-context.ts';
import { Code } from '../errors.ts';
import { connectRaw, grpcFrame } from '../testing/raw-http2.ts';
import { startTestServer } from '../testing/start-test-server.ts';
import { methodPath } from './service.ts';

const countStock = methodPath(InventoryService.method.countStock);
const listStock = methodPath(InventoryService.method.listStock);
const empty = grpcFrame(Buffer.alloc(0));

test.each([
  ['abc', Code.INTERNAL],
  ['0m', Code.DEADLINE_EXCEEDED],
  ['1n', Code.DEADLINE_EXCEEDED],
  // grpc-js counts in 32 bits: 30 days are -19 days. Our own client asks for no more than max_deadline.
  ['2592000S', Code.DEADLINE_EXCEEDED],
])('ensure grpc-timeout %s is answered at once with its code', async (timeout, code) => {
  await using server = await startTestServer(InventoryService, {
    listStock: () => new Promise(() => {}),
    async *countStock() {
      yield await new Promise<never>(() => {});
    },
  });
  await using connection = await connectRaw(server.target);
  for (const path of [listStock, countStock]) {
    const answer = await connection.post(path, empty, { 'grpc-timeout': timeout });
    expect(answer).toMatchObject({ httpStatus: 200, code });
  }
});

test.each<[string, string | undefined, unknown]>([
  ["the caller's request id is taken over", 'order-17', 'order-17'],
  ['a missing request id is made up', undefined, expect.stringMatching(/^[0-9a-f-]{36}$/)],
  ['a request id that is too long is replaced', 'x'.repeat(129), expect.stringMatching(/^[0-9a-f-]{36}$/)],
  ['a request id with a blank is replaced', 'a b', expect.stringMatching(/^[0-9a-f-]{36}$/)],
])('ensure %s, and is on every log line', async (_name, sent, expected) => {
  const seen = Promise.withResolvers<CallContext>();
  await using server = await startTestServer(InventoryService, {
    listStock: async (_request, context) => {
      seen.resolve(context);
      context.log.info('from the handler');
      return {};
    },
  });
  await server.client.listStock({}, { metadata: sent === undefined ? {} : { 'x-request-id': sent } });
  const { requestId } = await seen.promise;
  expect(requestId).toEqual(expected);
  expect(server.logLines.map((line) => [line.msg, line.request_id])).toEqual([
    ['from the handler', requestId],
    ['call', requestId],
  ]);
});

test('ensure a handler reads text metadata by its lower-case name, and nothing where there is none', async () => {
  const seen = Promise.withResolvers<CallContext>();
  await using server = await startTestServer(InventoryService, {
    listStock: async (_request, context) => {
      seen.resolve(context);
      return {};
    },
  });
  await server.client.listStock({}, { metadata: { 'X-Tenant': 'north' } });
  const { header, peer } = await seen.promise;
  expect([header('x-tenant'), header('x-other')]).toEqual(['north', undefined]);
  expect(peer).toMatch(/^127\.0\.0\.1:\d+$/);
});
