import { randomUUID } from 'node:crypto';
import { inspect } from 'node:util';
import { InventoryService } from '@acme/gen/inventory/v1/inventory_service_pb';
import { OrderService } from '@acme/gen/orders/v1/order_service_pb';
import { openPool } from '@acme/postgres/pool';
import { type Client, createClient } from '@acme/rpc/client';
import { Code, RpcError } from '@acme/rpc/errors';
import { startFaultProxy, startOtlpCollector } from '@acme/rpc/testing';
import { expect, test } from 'vitest';
import { makeServiceEnvironment } from '../support/service-environment.ts';
import { startServiceProcess } from '../support/service-process.ts';

const canary = {
  metadata: 'canary-in-metadata',
  title: 'canary-in-a-title',
  sku: 'canary-in-a-sku',
  customer: 'canary-in-a-customer-id',
  token: 'canary.in.a.token',
};

type Calls = (
  orders: Client<typeof OrderService>,
  inventory: Client<typeof InventoryService>,
) => readonly Promise<unknown>[];

/** Calls that carry canaries and end in every possible way. */
const calls: Calls = (orders, inventory) => {
  const options = { metadata: { 'x-canary': canary.metadata } };
  const item = { sku: 'A', title: canary.title, onHand: 1n };
  const lines = [{ sku: canary.sku, quantity: 1 }];
  return [
    inventory.importStock([{ importId: randomUUID(), item }], options),
    inventory.importStock([{ importId: randomUUID(), item: { ...item, onHand: -1n } }], options),
    inventory.importStock(
      [{ importId: randomUUID(), item: { ...item, title: `${canary.title}\n` } }],
      options,
    ),
    inventory.importStock([{ importId: randomUUID(), item }, { item }], options),
    orders.placeOrder({ requestId: randomUUID(), lines, customerId: canary.customer }, options),
    orders.placeOrder({ requestId: randomUUID(), lines: [{ sku: canary.sku, quantity: 0 }] }, options),
    orders.placeOrder({ requestId: randomUUID(), lines: [{ sku: 'A', quantity: 1 }] }, options),
    orders.listOrders({ customerId: `${canary.customer}\n` }, options),
    orders.listOrders({ pageToken: canary.token }, options),
  ];
};

test('no secret of a call or of the environment is in a log line, span, metric or error', async () => {
  await using collector = await startOtlpCollector();
  await using environment = await makeServiceEnvironment();
  await using ordersEnvironment = await makeServiceEnvironment();
  const inventoryUrl = new URL(environment.variables.DATABASE_URL);
  const { password } = inventoryUrl;
  expect(password.length).toBeGreaterThan(8);
  await using proxy = await startFaultProxy({ target: inventoryUrl.host });
  inventoryUrl.port = String(proxy.port);
  await using inventoryProcess = startServiceProcess('inventory', {
    ...environment.variables,
    ...collector.environment,
    OTEL_LOGS_EXPORTER: 'otlp',
    DATABASE_URL: inventoryUrl.href,
    AUTH_AUDIENCE: 'inventory',
    LOG_LEVEL: 'trace',
  });
  const inventoryTarget = await inventoryProcess.target;
  await using ordersProcess = startServiceProcess('orders', {
    ...environment.variables,
    ...collector.environment,
    OTEL_LOGS_EXPORTER: 'otlp',
    DATABASE_URL: ordersEnvironment.variables.DATABASE_URL,
    INVENTORY_TARGET: inventoryTarget,
    AUTH_AUDIENCE: 'orders',
    LOG_LEVEL: 'trace',
  });
  const ordersTarget = await ordersProcess.target;
  const scope = 'orders:read orders:write orders:write:any inventory:read inventory:write';
  const aud = ['orders', 'inventory'];
  const good = await environment.keys.sign({ aud, scope });
  const weak = await environment.keys.sign({ aud, scope: 'canary:scope' });
  const expired = await environment.keys.sign({ exp: 1 });
  const errors: RpcError[] = [];
  const callAll = async (token: string) => {
    using orders = createClient(OrderService, { target: ordersTarget, token: () => token });
    using inventory = createClient(InventoryService, { target: inventoryTarget, token: () => token });
    for (const outcome of await Promise.allSettled(calls(orders, inventory)))
      if (outcome.status === 'rejected') errors.push(outcome.reason);
  };
  using warehouse = createClient(InventoryService, { target: inventoryTarget, token: () => good });
  const item = { sku: canary.sku, title: canary.title, onHand: 100n };
  await warehouse.importStock([{ importId: randomUUID(), item }]);
  for (const token of [good, weak, expired, canary.token]) await callAll(token);

  // An unexpected error: the table is missing.
  const admin = openPool({
    url: ordersEnvironment.variables.DATABASE_URL,
    max: 1,
    applicationName: 'test',
    onError: () => {},
  });
  await admin.query('ALTER TABLE orders RENAME TO elsewhere').finally(() => admin.end());
  await callAll(good);
  proxy.refuseConnections();
  proxy.severAll();
  await callAll(good);
  ordersProcess.signal('SIGTERM');
  inventoryProcess.signal('SIGTERM');
  await Promise.all([ordersProcess.ended, inventoryProcess.ended]);

  const expected = [
    Code.INVALID_ARGUMENT,
    Code.UNAUTHENTICATED,
    Code.PERMISSION_DENIED,
    Code.INTERNAL,
    Code.UNAVAILABLE,
  ];
  expect(errors.map(({ code }) => code)).toEqual(expect.arrayContaining(expected));
  const received = errors.map((error) => {
    expect(error).toBeInstanceOf(RpcError);
    return inspect([error.message, error.details], { depth: null });
  });
  const written = [
    ordersProcess.stdout(),
    ordersProcess.stderr(),
    inventoryProcess.stdout(),
    inventoryProcess.stderr(),
    ...collector.bodies,
    ...received,
  ].join('\n');
  expect(written).toContain('internal error');
  expect(collector.spans.map(({ name }) => name)).toContain('place-orders');
  expect(collector.metrics).toContain('orders.transitions');
  expect(collector.logs.map(({ body }) => body)).toContain('call');
  const signatures = [good, weak, expired].map((token) => token.split('.')[2] ?? '');
  for (const secret of [password, ...signatures, ...Object.values(canary)])
    expect(written).not.toContain(secret);
}, 60_000);
