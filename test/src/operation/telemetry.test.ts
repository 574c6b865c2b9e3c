import { readFileSync } from 'node:fs';
import { readDocumentedMetrics } from '@acme/dev/check';
import { connections as ofInventory } from '@acme/inventory/connections';
import { connections as ofOrders } from '@acme/orders/connections';
import { SpanKind } from '@opentelemetry/api';
import { test as base, describe, expect, vi } from 'vitest';
import { runTelemetryScenario } from './telemetry-scenario.ts';
import { traceTree } from './trace-tree.ts';

// The first test waits until two processes have started, worked and stopped.
vi.setConfig({ testTimeout: 120_000 });

const test = base
  // biome-ignore lint/correctness/noEmptyPattern: vitest parses the parameter to find the fixtures that it uses.
  .extend('exported', { scope: 'file' }, ({}) => runTelemetryScenario());

const document = readFileSync(new URL('../../../docs/observability.md', import.meta.url), 'utf8');
const metrics = readDocumentedMetrics();

describe('traces', () => {
  test('an order is one trace through both services down to the SQL statements, as in docs/observability.md', ({
    exported: { spans, retried },
  }) => {
    expect(document).toContain(`\`\`\`\n${traceTree(spans, retried.traceId)}\n\`\`\``);
  });

  test('spans have the names and attributes of the semantic conventions, and the order’s id', ({
    exported: { spans, retried },
  }) => {
    const named = (name: string, kind: SpanKind) =>
      spans.filter((span) => span.traceId === retried.traceId && span.name === name && span.kind === kind);
    expect(named('orders.v1.OrderService/PlaceOrder', SpanKind.SERVER)).toMatchObject([
      {
        attributes: {
          'rpc.system.name': 'grpc',
          'rpc.status_code': 'OK',
          'order.id': retried.orderId,
          'order.state': 'CONFIRMED',
        },
      },
    ]);
    expect(named('place-orders', SpanKind.CLIENT)).toMatchObject([
      {
        scope: '@acme/postgres',
        attributes: {
          'db.system.name': 'postgresql',
          'db.operation.name': 'INSERT',
          'db.query.summary': 'place-orders',
          'db.query.text': expect.stringContaining('INSERT INTO orders'),
        },
      },
    ]);
  });

  test('the cancellation of an order has the id of the order', ({ exported: { spans, retried } }) => {
    expect(spans.filter(({ name }) => name === 'orders.v1.OrderService/CancelOrder')).toMatchObject([
      { attributes: { 'order.id': retried.orderId, 'order.state': 'CANCELLED' } },
    ]);
  });

  test('a batch belongs to the trace of its first call, and the calls link to each other', ({
    exported: { spans, together },
  }) => {
    const batched = together.map(({ traceId }) =>
      spans.find(
        (span) => span.traceId === traceId && span.name === 'place-orders' && span.kind === SpanKind.INTERNAL,
      ),
    );
    const [first, second] = batched.map((span) => ({ traceId: span?.traceId, spanId: span?.spanId }));
    const attributes = { 'batch.size': 2 };
    expect(batched).toMatchObject([
      { links: [second], attributes },
      { links: [first], attributes },
    ]);
    const statements = spans.filter(({ name, kind }) => name === 'place-orders' && kind === SpanKind.CLIENT);
    const below = (parent: typeof first) =>
      statements.filter(({ parentSpanId }) => parentSpanId === parent?.spanId);
    expect(below(first)).toHaveLength(1);
    expect(below(second)).toHaveLength(0);
  });

  test('the settler’s spans have the order’s id, and contain its statements', ({
    exported: { spans, settled },
  }) => {
    const settling = spans.filter(
      ({ name, attributes }) => name === 'settle order' && attributes['order.id'] === settled.orderId,
    );
    const { traceId } = settling.at(-1) ?? {};
    expect(spans.filter((span) => span.traceId === traceId).map(({ name }) => name)).toEqual(
      expect.arrayContaining(['inventory.v1.InventoryService/ReserveStock', 'reserve', 'settle-orders']),
    );
  });
});

describe('logs', () => {
  test('each call is one log line with the ids of its span', ({ exported: { spans, lines, retried } }) => {
    const calls = lines.filter(({ msg, trace_id }) => msg === 'call' && trace_id === retried.traceId);
    const servers = spans.filter(
      ({ traceId, kind }) => traceId === retried.traceId && kind === SpanKind.SERVER,
    );
    expect(servers).toHaveLength(3);
    expect(calls.map(({ span_id }) => span_id).sort()).toEqual(servers.map(({ spanId }) => spanId).sort());
    expect(calls[0]).toEqual({
      level: 'info',
      time: expect.any(String),
      service: 'orders',
      pid: expect.any(Number),
      request_id: expect.any(String),
      trace_id: retried.traceId,
      span_id: expect.any(String),
      method: 'orders.v1.OrderService/PlaceOrder',
      code: 'OK',
      duration_ms: expect.any(Number),
      deadline_left_ms: expect.any(Number),
      peer: expect.any(String),
      subject: 'alice',
      msg: 'call',
    });
  });

  test('a retried call is logged with the ids of its trace', ({ exported: { lines, retried } }) => {
    expect(lines.filter(({ msg }) => msg === 'call retried')).toContainEqual(
      expect.objectContaining({ trace_id: retried.traceId, attempts: 2, code: 'OK' }),
    );
  });

  test('the lines of both services reach the collector, each within its span', ({
    exported: { lines, logs, retried },
  }) => {
    const described = (each: { body?: unknown; msg?: unknown; service?: unknown }, spanId: unknown) =>
      `${each.service} ${each.body ?? each.msg} ${spanId}`;
    const ofTrace = logs.filter(({ traceId }) => traceId === retried.traceId);
    const written = lines.filter(({ trace_id }) => trace_id === retried.traceId);
    expect(ofTrace.map((each) => described(each, each.spanId)).sort()).toEqual(
      written.map((each) => described(each, each.span_id)).sort(),
    );
    expect(new Set(ofTrace.map(({ service }) => service))).toEqual(new Set(['orders', 'inventory']));
  });

  test('nothing is written to stderr', ({ exported: { stderr } }) => {
    expect(stderr).toBe('');
  });
});

describe('metrics', () => {
  test('exactly the documented metrics and labels are exported', ({ exported: { series } }) => {
    const everywhere = ['otel_scope_name', 'otel_scope_version'];
    const byName = Map.groupBy(series, ({ name }) => name);
    byName.delete('target_info');
    expect([...byName.keys()].filter((name) => !metrics.has(name))).toEqual([]);
    expect([...metrics.keys()].filter((name) => !byName.has(name))).toEqual([]);
    for (const [name, all] of byName) {
      const labels = new Set(all.flatMap((each) => Object.keys(each.labels)));
      const listed = metrics.get(name);
      const unlisted = [...labels].filter((label) => !listed?.has(label) && !everywhere.includes(label));
      expect({ name, unlisted }).toEqual({ name, unlisted: [] });
    }
  });

  test('a collector receives the metrics that Prometheus reads at the same time', ({
    exported: { series, metrics: received },
  }) => {
    const names = new Set(received.map((name) => name.replaceAll('.', '_')));
    const inPrometheus = new Set(series.map(({ name }) => name.replace(/_(total|bucket|sum|count)$/, '')));
    const bases = new Set([...names].map((name) => name.replace(/_count$/, '')));
    inPrometheus.delete('target_info');
    expect([...inPrometheus].filter((name) => !bases.has(name))).toEqual([]);
  });

  test.for([
    ['orders', ofOrders, 16],
    ['inventory', ofInventory, 20],
  ] as const)('%s opens as many connections as it states', ([service, stated, expected], { exported }) => {
    const pools = exported.series.filter(
      ({ name, labels }) =>
        name === 'db_client_connection_max' &&
        labels.db_client_connection_pool_name?.split(' ')[0] === service,
    );
    expect(pools.reduce((sum, { value }) => sum + value, 0)).toBe(expected);
    expect(stated.shared + stated.direct).toBe(expected);
  });

  test.for([
    ['orders_transitions_total', { order_state: 'PENDING' }, 6],
    ['orders_transitions_total', { order_state: 'CONFIRMED' }, 5],
    ['orders_transitions_total', { order_state: 'REJECTED', order_reject_reason: 'OUT_OF_STOCK' }, 1],
    ['orders_transitions_total', { order_state: 'CANCELLED' }, 1],
    ['inventory_reservations_total', { reservation_state: 'RESERVED' }, 5],
    ['inventory_reservations_total', { reservation_reject_reason: 'OUT_OF_STOCK' }, 1],
    ['inventory_reservations_total', { reservation_state: 'RELEASED' }, 1],
    ['batch_size_sum', { batch_name: 'place-orders' }, 6],
  ] as const)('%s %j has the expected count', ([name, labels, expected], { exported: { series } }) => {
    const matching = series.filter(
      (each) =>
        each.name === name && Object.entries(labels).every(([label, value]) => each.labels[label] === value),
    );
    expect(matching.reduce((sum, { value }) => sum + value, 0)).toBe(expected);
  });
});
