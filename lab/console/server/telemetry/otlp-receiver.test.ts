import { once } from 'node:events';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { gzipSync } from 'node:zlib';
import { metrics, SpanStatusCode, trace } from '@opentelemetry/api';
import { NodeSDK } from '@opentelemetry/sdk-node';
import { beforeEach, expect, test, vi } from 'vitest';
import { createLogStore } from './log-store.ts';
import { type OtlpReceiver, startOtlpReceiver } from './otlp-receiver.ts';
import { createSignalStore, intervalMs } from './signals.ts';
import { telemetryVariables } from './telemetry-variables.ts';
import { createTraceStore } from './trace-store.ts';

let nowMs: number;
let traces: ReturnType<typeof createTraceStore>;
let signals: ReturnType<typeof createSignalStore>;
let receiver: OtlpReceiver;
beforeEach(async () => {
  nowMs = Date.now();
  traces = createTraceStore();
  signals = createSignalStore(() => nowMs);
  receiver = await startOtlpReceiver({
    host: '127.0.0.1',
    port: 0,
    hostName: 'console',
    onTraces: traces.add,
    onMetrics: signals.add,
    onLogs: createLogStore().add,
  });
  return () => receiver[Symbol.asyncDispose]();
});

/** Starts OpenTelemetry's SDK as a service has it. Disposing flushes it. */
function startSdk(): AsyncDisposable {
  const variables = telemetryVariables(`http://127.0.0.1:${receiver.port}`);
  for (const [name, value] of Object.entries({ ...variables, OTEL_SERVICE_NAME: 'orders' }))
    vi.stubEnv(name, value);
  const sdk = new NodeSDK();
  sdk.start();
  return {
    [Symbol.asyncDispose]: async () => {
      await sdk.shutdown();
      vi.unstubAllEnvs();
      trace.disable();
      metrics.disable();
    },
  };
}

test('the spans that the SDK exports are found by order, method, code, service and duration', async () => {
  {
    await using _sdk = startSdk();
    const tracer = trace.getTracer('test');
    const startTime = Date.now();
    tracer.startActiveSpan('orders.v1.OrderService/PlaceOrder', { kind: 1, startTime }, (root) => {
      const insert = tracer.startSpan('insert order', { startTime: startTime + 10 });
      insert.setStatus({ code: SpanStatusCode.ERROR });
      insert.end(startTime + 50);
      root.setAttributes({ 'order.id': 'order-1', 'rpc.status_code': 'OK', lines: 2, ids: ['a', 'b'] });
      root.end(startTime + 100);
    });
    tracer.startSpan('orders.v1.OrderService/GetOrder').end();
  }
  const { kept, traces: all } = traces.list({});
  expect({ kept, all }).toMatchObject({ kept: 2, all: [{ spans: 1 }, { spans: 2 }] });
  const [placed] = traces.list({ order: 'order-1' }).traces;
  expect(placed).toMatchObject({
    service: 'orders',
    name: 'orders.v1.OrderService/PlaceOrder',
    code: 'OK',
    orderId: 'order-1',
    durationMs: 100,
    spans: 2,
    hasError: true,
  });
  const count = (search: object) => traces.list(search).traces.length;
  expect(count({ method: 'placeorder' })).toBe(1);
  expect(count({ code: 'OK', service: 'orders', minMs: 90 })).toBe(1);
  expect([count({ order: 'order-2' }), count({ code: 'INTERNAL' }), count({ minMs: 500 })]).toEqual([
    0, 0, 0,
  ]);
  const spans = traces.spansOf(placed?.id ?? '') ?? [];
  expect(spans).toMatchObject([
    { name: 'orders.v1.OrderService/PlaceOrder', parentId: null, kind: 'server', code: 'OK', isError: false },
    { name: 'insert order', parentId: spans[0]?.id, kind: 'internal', code: null, isError: true },
  ]);
  expect(spans[0]?.attributes).toMatchObject({ lines: 2, ids: '["a","b"]' });
});

test('the measurements that the SDK exports become rates, errors, percentiles, gauges and breakers', async () => {
  {
    await using _sdk = startSdk();
    const meter = metrics.getMeter('test');
    const duration = meter.createHistogram('rpc.server.call.duration', {
      advice: { explicitBucketBoundaries: [0.01, 0.1, 1] },
    });
    const method = { 'rpc.system.name': 'grpc', 'rpc.method': 'orders.v1.OrderService/PlaceOrder' };
    for (let call = 1; call <= 98; call++) duration.record(0.02, { ...method, 'rpc.status_code': 'OK' });
    for (const seconds of [0.5, 0.8]) duration.record(seconds, { ...method, 'rpc.status_code': 'INTERNAL' });
    duration.record(1, { ...method, 'rpc.method': 'grpc.health.v1.Health/Check' });
    meter.createCounter('rpc.server.admission.rejections').add(4);
    const gauge = (name: string, value: number, attributes = {}) =>
      meter.createObservableGauge(name).addCallback((to) => to.observe(value, attributes));
    gauge('rpc.server.admission.in_flight', 3);
    gauge('nodejs.eventloop.delay.p99', 0.012);
    gauge('rpc.client.circuit_breaker.state', 2, { 'circuit_breaker.name': 'inventory' });
    const connections = meter.createObservableUpDownCounter('db.client.connection.count');
    connections.addCallback((to) => {
      to.observe(5, { 'db.client.connection.state': 'used' });
      to.observe(7, { 'db.client.connection.state': 'idle' });
    });
  }
  nowMs += 2 * intervalMs;
  const { services } = signals.since(0);
  expect(services).toMatchObject([{ service: 'orders', methods: [{}], saturation: [{}] }]);
  const [{ methods, saturation } = { methods: [], saturation: [] }] = services;
  const point = methods[0]?.points.find(({ perSecond }) => perSecond > 0);
  expect(methods[0]?.method).toBe('orders.v1.OrderService/PlaceOrder');
  expect(point).toMatchObject({ perSecond: 50, errorsPerSecond: { INTERNAL: 1 } });
  expect(point?.p50Ms).toBeGreaterThanOrEqual(20);
  expect(point?.p50Ms).toBeLessThanOrEqual(100);
  expect(point?.p99Ms).toBeGreaterThan(100);
  expect(point?.p99Ms).toBeLessThanOrEqual(800);
  expect(saturation[0]).toMatchObject({
    inFlight: 3,
    poolUsed: 5,
    rejectedPerSecond: 2,
    eventLoopP99Ms: 12,
  });
  expect(signals.breakers('orders')).toEqual({ inventory: 'open' });
});

const traced = (name: string) => ({ resourceSpans: [{ scopeSpans: [{ spans: [spanNamed(name)] }] }] });
const spanNamed = (name: string) => ({
  traceId: '1'.repeat(32),
  spanId: '2'.repeat(16),
  name,
  startTimeUnixNano: '1',
  endTimeUnixNano: '2',
});
const json = { 'content-type': 'application/json' };
const post = (
  body: string | Uint8Array<ArrayBuffer>,
  headers: Record<string, string> = json,
  path = '/v1/traces',
) => fetch(`http://127.0.0.1:${receiver.port}${path}`, { method: 'POST', body, headers });

test('a compressed body is inflated', async () => {
  const body = gzipSync(JSON.stringify(traced('compressed')));
  const { status } = await post(body, { ...json, 'content-encoding': 'gzip' });
  expect(status).toBe(200);
  expect(traces.list({}).traces).toMatchObject([{ name: 'compressed', service: 'unknown' }]);
});

test('the receiver has the names that the services call it by', async () => {
  const statusFor = async (host: string) => {
    const options = { host: '127.0.0.1', port: receiver.port, method: 'POST', path: '/v1/logs' };
    const request = httpRequest({ ...options, headers: { ...json, host: `${host}:${receiver.port}` } });
    request.end('{}');
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    response.resume();
    return response.statusCode;
  };
  expect(await statusFor('localhost')).toBe(200);
  expect(await statusFor('console')).toBe(200);
  expect(await statusFor('evil.example')).toBe(421);
});

test('a small body that inflates to a large one is rejected', async () => {
  const bomb = gzipSync(Buffer.alloc(64 * 1024 * 1024, ' '));
  expect(bomb.length).toBeLessThan(128 * 1024);
  const { status } = await post(bomb, { ...json, 'content-encoding': 'gzip' });
  expect(status).toBe(413);
});

test('a body over 4 MiB is rejected', async () => {
  expect((await post(JSON.stringify(traced('x'.repeat(4 * 1024 * 1024))))).status).toBe(413);
});

test.for([
  ['a page', '{}', { ...json, origin: 'https://evil.example' }, '/v1/traces', 403],
  ['protobuf', '', { 'content-type': 'application/x-protobuf' }, '/v1/traces', 415],
  ['a form', '{}', { 'content-type': 'text/plain' }, '/v1/traces', 415],
  ['an unknown encoding', '{}', { ...json, 'content-encoding': 'br' }, '/v1/traces', 415],
  ['an unknown signal', '{}', json, '/v1/profiles', 404],
  ['a body that is not JSON', '{', json, '/v1/traces', 400],
  ['a body that is not an object', '1', json, '/v1/traces', 400],
  ['a body of another form', '{"resourceSpans":[{"scopeSpans":[{"spans":[{}]}]}]}', json, '/v1/traces', 400],
] as const)('%s is rejected', async ([, body, headers, path, status]) => {
  expect((await post(body, headers, path)).status).toBe(status);
});
