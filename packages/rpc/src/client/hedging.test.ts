import { InventoryService } from '@acme/gen/inventory/v1/inventory_service_pb';
import { expect, test } from 'vitest';
import { Code, RpcError } from '../errors/rpc-error.ts';
import { rejectionOf } from '../testing/rejection-of.ts';
import { startTestServer } from '../testing/start-test-server.ts';
import { createClient } from './create-client.ts';
import { serviceConfigOf } from './service-config.ts';

const token = () => 'test-token';
const hedging = { methods: ['getStock'], attempts: 3, delayMs: 1 } as const;

async function untilAborted(signal: AbortSignal): Promise<void> {
  if (!signal.aborted) await new Promise((resolve) => signal.addEventListener('abort', resolve));
}

test('ensure a hedged call is sent as often as it says, the first answer taken, and the others cancelled', async () => {
  const signals: AbortSignal[] = [];
  await using server = await startTestServer(InventoryService, {
    getStock: async (_request, { signal }) => {
      signals.push(signal);
      if (signals.length === 3) return { stock: { title: 'the third' } };
      return new Promise(() => {});
    },
  });
  using client = createClient(InventoryService, { target: server.target, token, hedging });
  const { stock } = await client.getStock({ sku: 'A' }, { deadlineMs: 60_000 });
  expect(stock?.title).toBe('the third');
  for (const signal of signals.slice(0, 2)) {
    await untilAborted(signal);
    expect(signal.reason).toMatchObject({ code: Code.CANCELLED });
  }
  expect(signals).toHaveLength(3);
});

test('ensure a hedged call that is answered in time is sent once', async () => {
  let calls = 0;
  await using server = await startTestServer(InventoryService, {
    getStock: async () => {
      calls++;
      return {};
    },
  });
  const slowHedging = { ...hedging, delayMs: 60_000 };
  using client = createClient(InventoryService, { target: server.target, token, hedging: slowHedging });
  await client.getStock({ sku: 'A' });
  expect(calls).toBe(1);
});

test('ensure an attempt that is UNAVAILABLE leaves the call to the others, and another error ends it', async () => {
  let attempts = 0;
  const codes = [Code.UNAVAILABLE, Code.UNAVAILABLE, Code.NOT_FOUND];
  await using server = await startTestServer(InventoryService, {
    getStock: async () => {
      throw new RpcError(codes[attempts++] ?? Code.OK, 'not here');
    },
  });
  using client = createClient(InventoryService, { target: server.target, token, hedging });
  expect((await rejectionOf(client.getStock({ sku: 'A' }))).code).toBe(Code.NOT_FOUND);
  expect(attempts).toBe(3);
});

test('ensure the other methods of a client that hedges are retried as ever', async () => {
  let attempts = 0;
  await using server = await startTestServer(InventoryService, {
    listStock: async () => {
      attempts++;
      throw new RpcError(Code.UNAVAILABLE, 'not now');
    },
  });
  using client = createClient(InventoryService, { target: server.target, token, hedging });
  await rejectionOf(client.listStock({}));
  expect(attempts).toBe(3);
});

test.each([
  ['reserveStock', 'inventory.v1.InventoryService/ReserveStock, which is idempotent'],
  ['countStock', 'inventory.v1.InventoryService/CountStock, which is not marked'],
] as const)('ensure nobody can hedge %s, which is not free of side effects', (method, name) => {
  const [fullName] = name.split(',');
  expect(() => serviceConfigOf(InventoryService, { hedging: { ...hedging, methods: [method] } })).toThrow(
    `${fullName} cannot be hedged: the contract does not mark it as NO_SIDE_EFFECTS`,
  );
});

test.each([
  ['one attempt', { attempts: 1 }, 'hedging.attempts must be a whole number from 2 to 5'],
  [
    'more attempts than grpc-js makes',
    { attempts: 6 },
    'hedging.attempts must be a whole number from 2 to 5',
  ],
  ['no delay', { delayMs: 0 }, 'hedging.delayMs must be at least 1'],
  ['a delay that is not a number', { delayMs: Number.NaN }, 'hedging.delayMs must be at least 1'],
])('ensure hedging with %s is refused', (_name, wrong, message) => {
  const config = () => serviceConfigOf(InventoryService, { hedging: { ...hedging, ...wrong } });
  expect(config).toThrow(message);
});
