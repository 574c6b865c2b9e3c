import { randomBytes, randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { InventoryService } from '@acme/gen/inventory/v1/inventory_service_pb';
import { Order_State } from '@acme/gen/orders/v1/order_pb';
import { OrderService } from '@acme/gen/orders/v1/order_service_pb';
import { openPool } from '@acme/postgres/pool';
import { createClient } from '@acme/rpc/client/create-client';
import { documentedMetrics } from '@acme/tools/documented-metrics';
import { SpanKind } from '@opentelemetry/api';
import { expect, test } from 'vitest';
import { eventually } from './eventually.ts';
import { holdLock } from './hold-lock.ts';
import { startObservedPair } from './observed-pair.ts';
import { linesOf } from './order-lines.ts';
import { parseSeries } from './prometheus-text.ts';
import { traceTree } from './trace-tree.ts';

const document = readFileSync(new URL('../../docs/observability.md', import.meta.url), 'utf8');

/** Listed, but what they tell of does not happen here, or is another's to export. */
const notSeenHere = /^(rpc_client_circuit_breaker_state|orders_unsettled_.*|db_client_operation_.*error)$/;

test('ensure a pair exports just what the document says, and an order is one trace with its retry', async () => {
  await using pair = await startObservedPair();
  await using pools = new AsyncDisposableStack();
  const open = (url: string) =>
    pools.adopt(openPool({ url, max: 2, applicationName: 'test', onError: () => {} }), (pool) => pool.end());
  const [ordersDatabase, inventoryDatabase] = [open(pair.databases.orders), open(pair.databases.inventory)];
  const token = await pair.keys.sign({ sub: 'alice', scope: 'orders:read orders:write inventory:write' });
  using orders = createClient(OrderService, { target: pair.ordersTarget, token: () => token });
  using inventory = createClient(InventoryService, { target: pair.inventoryTarget, token: () => token });
  await inventory.importStock([{ importId: randomUUID(), item: { sku: 'A', title: 'A', onHand: 100n } }]);
  /** Places an order in a trace of its own. */
  const place = (units: Record<string, number>) => {
    const traceId = randomBytes(16).toString('hex');
    const metadata = { traceparent: `00-${traceId}-${randomBytes(8).toString('hex')}-01` };
    const request = { requestId: randomUUID(), lines: linesOf(units) };
    const answer = orders.placeOrder(request, { metadata, deadlineMs: 9000 });
    // Awaited later.
    answer.catch(() => {});
    return { traceId, answer };
  };

  // The connection is cut while inventory works, and the call is made again.
  await using stockLock = await holdLock(inventoryDatabase, 'LOCK TABLE stock');
  const retried = place({ A: 1 });
  await stockLock.untilAwaited(1);
  pair.proxy.severAll();
  const retries = async () => pair.scrape('inventory');
  await eventually(async () => expect(await retries()).toContain('rpc_server_call_retries_total{'));
  await stockLock.release();
  const { order } = await retried.answer;
  expect(order?.state).toBe(Order_State.CONFIRMED);

  // Two calls come while a statement is under way, and go together in the next.
  await using ordersLock = await holdLock(ordersDatabase, 'LOCK TABLE orders');
  const first = place({ A: 1 });
  await ordersLock.untilAwaited(2);
  const together = [place({ A: 1 }), place({ A: 2 })];
  const active = async () => parseSeries(await pair.scrape('orders'));
  await eventually(async () =>
    expect((await active()).find(({ name }) => name === 'rpc_server_active_calls')?.value).toBe(3),
  );
  await ordersLock.release();
  await Promise.all([first, ...together].map(({ answer }) => answer));

  await expect(place({ A: 1000 }).answer).rejects.toThrow('too little stock');

  // Nobody can be asked, and the settler finishes the order.
  pair.proxy.refuseConnections();
  pair.proxy.severAll();
  const { order: pending } = await place({ A: 1 }).answer;
  expect(pending?.state).toBe(Order_State.PENDING);
  pair.proxy.heal();
  const settled = async () => (await orders.getOrder({ id: pending?.id ?? '' })).order?.state;
  await eventually(async () => expect(await settled()).toBe(Order_State.CONFIRMED));
  await orders.cancelOrder({ id: order?.id ?? '' });
  await eventually(async () => expect(await pair.scrape('inventory')).toContain('state="RELEASED"'));

  const series = [
    ...parseSeries(await pair.scrape('orders')),
    ...parseSeries(await pair.scrape('inventory')),
  ];
  await pair.stop();
  const { spans } = pair.collector;
  const spansOf = (traceId: string) => spans.filter((span) => span.traceId === traceId);

  // The trace, as it stands in the document.
  const tree = traceTree(spans, retried.traceId);
  expect(document).toContain(`\`\`\`\n${tree}\n\`\`\``);
  const named = (name: string, kind: SpanKind) =>
    spansOf(retried.traceId).filter((span) => span.name === name && span.kind === kind);
  expect(named('orders.v1.OrderService/PlaceOrder', SpanKind.SERVER)).toMatchObject([
    { attributes: { 'order.id': order?.id, 'order.state': 'CONFIRMED', 'rpc.system.name': 'grpc' } },
  ]);
  expect(named('place-orders', SpanKind.CLIENT)).toMatchObject([
    {
      scope: '@acme/postgres',
      attributes: {
        'db.system.name': 'postgresql',
        'db.query.summary': 'place-orders',
        'db.query.text': expect.stringContaining('INSERT INTO orders'),
      },
    },
  ]);

  // A batch is in the first call's trace, and each finds the other.
  const batched = together.map(({ traceId }) =>
    spansOf(traceId).find(({ name, kind }) => name === 'place-orders' && kind === SpanKind.INTERNAL),
  );
  const [leader, follower] = batched.map((span) => ({ traceId: span?.traceId, spanId: span?.spanId }));
  expect(batched).toMatchObject([
    { links: [follower], attributes: { 'db.operation.batch.size': 2 } },
    { links: [leader], attributes: { 'db.operation.batch.size': 2 } },
  ]);
  const statements = spans.filter(({ name, kind }) => name === 'place-orders' && kind === SpanKind.CLIENT);
  expect(statements.filter(({ parentSpanId }) => parentSpanId === leader?.spanId)).toHaveLength(1);
  expect(statements.filter(({ parentSpanId }) => parentSpanId === follower?.spanId)).toHaveLength(0);

  // The settler's trace is found by the order.
  const settling = spans.filter(
    ({ name, attributes }) => name === 'settle order' && attributes['order.id'] === pending?.id,
  );
  expect(settling.length).toBeGreaterThanOrEqual(1);
  expect(spansOf(settling.at(-1)?.traceId ?? '').map(({ name }) => name)).toContain('settle-orders');

  // A line a call, which finds the trace.
  const calls = [...pair.logs.orders(), ...pair.logs.inventory()].filter(
    ({ msg, trace_id }) => msg === 'call' && trace_id === retried.traceId,
  );
  const servers = spansOf(retried.traceId).filter(({ kind }) => kind === SpanKind.SERVER);
  expect(calls.map(({ span_id }) => span_id).sort()).toEqual(servers.map(({ spanId }) => spanId).sort());
  expect(calls[0]).toMatchObject({
    level: 'info',
    service: 'orders',
    request_id: expect.any(String),
    method: 'orders.v1.OrderService/PlaceOrder',
    code: 'OK',
    duration_ms: expect.any(Number),
    deadline_left_ms: expect.any(Number),
    peer: expect.any(String),
    subject: 'alice',
  });

  // Every metric that is documented, with no label but those, and no other.
  const metrics = documentedMetrics(document);
  const everywhere = ['otel_scope_name', 'otel_scope_version'];
  const labelsSeen = new Map<string, Set<string>>();
  for (const { name, labels } of series) {
    if (name === 'target_info') continue;
    const seen = labelsSeen.getOrInsertComputed(name, () => new Set());
    for (const label of Object.keys(labels)) if (!everywhere.includes(label)) seen.add(label);
  }
  expect([...labelsSeen.keys()].filter((name) => !metrics.has(name))).toEqual([]);
  expect([...metrics.keys()].filter((name) => !labelsSeen.has(name) && !notSeenHere.test(name))).toEqual([]);
  for (const [name, labels] of labelsSeen)
    expect([...labels].filter((label) => !metrics.get(name)?.has(label))).toEqual([]);
  const value = (name: string, wanted: Record<string, string>) =>
    series
      .filter(({ name: each }) => each === name)
      .filter(({ labels }) => Object.entries(wanted).every(([label, text]) => labels[label] === text))
      .reduce((sum, each) => sum + each.value, 0);
  expect(value('orders_transitions_total', { order_state: 'PENDING' })).toBe(6);
  expect(value('orders_transitions_total', { order_state: 'CONFIRMED' })).toBe(5);
  expect(value('orders_transitions_total', { order_reject_reason: 'OUT_OF_STOCK' })).toBe(1);
  expect(value('orders_transitions_total', { order_state: 'CANCELLED' })).toBe(1);
  expect(value('inventory_reservations_total', { reservation_state: 'RESERVED' })).toBe(5);
  expect(value('inventory_reservations_total', { reservation_refusal_reason: 'OUT_OF_STOCK' })).toBe(1);
  expect(value('inventory_reservations_total', { reservation_state: 'RELEASED' })).toBe(1);
  expect(value('grpc_client_call_retries_sum', {})).toBeGreaterThanOrEqual(1);
  expect(pair.complaints()).toBe('');
}, 120_000);
