import { expect, test } from 'vitest';
import { Code } from '../errors/rpc-error.ts';
import { BadRequestSchema } from '../gen/google/rpc/error_details_pb.ts';
import { EchoService } from '../testing/gen/testing/v1/echo_service_pb.ts';
import { rejectionOf } from '../testing/rejection-of.ts';
import { startTestServer } from '../testing/start-test-server.ts';

const id = '0198c0de-0000-7000-8000-000000000001';

test('every violation of a request is listed, and the handler is not called', async () => {
  let called = false;
  await using server = await startTestServer(EchoService, {
    putEchoes: async () => {
      called = true;
      return {};
    },
  });
  const error = await rejectionOf(
    server.client.putEchoes({
      requestId: 'no uuid',
      items: [
        { key: '', count: 1 },
        { key: 'x'.repeat(65), count: 1_000_001 },
        { key: 'tab\there', count: 0 },
      ],
    }),
  );
  expect(error.code).toBe(Code.INVALID_ARGUMENT);
  expect(error.message).toMatch(/^request_id: .+ \(and 5 more\)$/);
  const violations = error.findDetail(BadRequestSchema)?.fieldViolations;
  expect(violations?.map(({ field, reason }) => [field, reason])).toEqual([
    ['request_id', 'string.uuid'],
    ['items[0].key', 'string.min_len'],
    ['items[1].key', 'string.max_len'],
    ['items[1].count', 'int32.gte_lte'],
    ['items[2].key', 'string.pattern'],
    ['items[2].count', 'int32.gte_lte'],
  ]);
  expect(called).toBe(false);
});

test.each([
  ['no items', { requestId: id, items: [] }, 'items', 'repeated.min_items'],
  ['1,001 items', { requestId: id, items: manyItems(1001) }, 'items', 'repeated.max_items'],
  ['no id', { items: manyItems(1) }, 'request_id', 'required'],
  [
    'a negative count',
    { requestId: id, items: [{ key: 'A', count: -1 }] },
    'items[0].count',
    'int32.gte_lte',
  ],
])('a request with %s is rejected as INVALID_ARGUMENT', async (_name, request, field, reason) => {
  await using server = await startTestServer(EchoService, { putEchoes: async () => ({}) });
  const error = await rejectionOf(server.client.putEchoes(request));
  expect(error).toMatchObject({
    code: Code.INVALID_ARGUMENT,
    details: [{ fieldViolations: [{ field, reason }] }],
  });
});

test('a request at the limits of the contract is served', async () => {
  await using server = await startTestServer(EchoService, { putEchoes: async () => ({}) });
  const items = manyItems(1000).map(({ key }) => ({ key: key.padEnd(64, 'x'), count: 1_000_000 }));
  await server.client.putEchoes({ requestId: id, items });
});

test('a violation in a stream names the position of its message, and ends the call there', async () => {
  const received: (string | undefined)[] = [];
  await using server = await startTestServer(EchoService, {
    async importEchoes(requests) {
      for await (const { echo } of requests) received.push(echo?.key);
      return {};
    },
  });
  const row = (key: string, number: bigint) => ({ echo: { key, number } });
  const error = await rejectionOf(
    server.client.importEchoes([row('A', 1n), row('B', 1n), row('', -1n), row('D', 1n)]),
  );
  expect(error.code).toBe(Code.INVALID_ARGUMENT);
  expect(error.findDetail(BadRequestSchema)?.fieldViolations.map(({ field }) => field)).toEqual([
    'requests[2].echo.key',
    'requests[2].echo.number',
  ]);
  expect(received).toEqual(['A', 'B']);
});

function manyItems(count: number) {
  return Array.from({ length: count }, (_, index) => ({ key: `S${index}`, count: 1 }));
}
