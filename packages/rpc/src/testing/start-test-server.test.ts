import { InventoryService } from '@acme/gen/inventory/v1/inventory_service_pb';
import { timestampFromDate, timestampMs } from '@bufbuild/protobuf/wkt';
import { expect, test } from 'vitest';

import { createClient } from '../client/create-client.ts';
import { Code } from '../errors/rpc-error.ts';
import { rejectionOf } from './rejection-of.ts';
import { startTestServer } from './start-test-server.ts';

test('ensure a test says who calls and what ids calls get, and finds both in the context and in the log', async () => {
  const ids = ['first', 'second'];
  await using server = await startTestServer(
    InventoryService,
    {
      getStock: async (_request, { principal, requestId }) => ({
        stock: { sku: requestId, title: principal.subject },
      }),
    },
    {
      principal: { subject: 'anna', scopes: new Set(['inventory:read']) },
      newRequestId: () => ids.shift() ?? '',
    },
  );
  expect(await server.client.getStock({ sku: 'A' })).toMatchObject({
    stock: { sku: 'first', title: 'anna' },
  });
  expect(await server.client.getStock({ sku: 'A' })).toMatchObject({ stock: { sku: 'second' } });
  const taken = await server.client.getStock({ sku: 'A' }, { metadata: { 'x-request-id': 'own' } });
  expect(taken).toMatchObject({ stock: { sku: 'own' } });
  const lines = server.logLines.filter(({ msg }) => msg === 'call');
  expect(lines.map(({ request_id, subject }) => [request_id, subject])).toEqual([
    ['first', 'anna'],
    ['second', 'anna'],
    ['own', 'anna'],
  ]);
});

test('ensure a test server has what the test gives it and no more, and is gone after its block', async () => {
  const server = await startTestServer(
    InventoryService,
    {},
    { principal: { subject: 'anna', scopes: new Set() } },
  );
  expect((await rejectionOf(server.client.getStock({ sku: 'A' }))).code).toBe(Code.PERMISSION_DENIED);
  await server[Symbol.asyncDispose]();
  using late = createClient(InventoryService, { target: server.target });
  expect((await rejectionOf(late.getStock({ sku: 'A' }))).code).toBe(Code.UNAVAILABLE);
});

test('ensure a service is given a clock that the test moves, and ids that count', async () => {
  await using server = await startTestServer(InventoryService, ({ now, newId }) => ({
    getStock: async () => ({ stock: { sku: newId(), updateTime: timestampFromDate(now()) } }),
  }));
  const first = await server.client.getStock({ sku: 'A' });
  server.fakes.advance(90_000);
  const second = await server.client.getStock({ sku: 'A' });
  expect([first.stock?.sku, second.stock?.sku]).toEqual([
    '00000000-0000-7000-8000-000000000001',
    '00000000-0000-7000-8000-000000000002',
  ]);
  const [one, other] = [first, second].map(({ stock }) => stock?.updateTime && timestampMs(stock.updateTime));
  expect(Number(other) - Number(one)).toBe(90_000);
});
