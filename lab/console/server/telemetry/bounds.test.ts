import { expect, test } from 'vitest';
import { createLogStore } from './log-store.ts';
import type { OtlpAttribute, OtlpSpan } from './otlp-json.ts';
import { createTraceStore } from './trace-store.ts';

/** The id of the trace that the tests call by a name. */
const idOf = (name: string) => Buffer.from(name).toString('hex').padStart(32, '0');
const spanId = (number: number) => number.toString(16).padStart(16, '0');
let spans = 0;
const spanOf = (trace: string, fields: Partial<OtlpSpan> = {}): OtlpSpan => ({
  traceId: idOf(trace),
  spanId: spanId(spans++),
  name: 'name',
  startTimeUnixNano: '1795747359123456789',
  endTimeUnixNano: '1795747359125456789',
  ...fields,
});
const tracesOf = (sent: readonly OtlpSpan[]) => ({ resourceSpans: [{ scopeSpans: [{ spans: sent }] }] });
const text = (key: string, stringValue: string): OtlpAttribute => ({ key, value: { stringValue } });

test('the last thousand traces are kept, and late spans of an older one do not come back', () => {
  const store = createTraceStore();
  for (let number = 0; number < 1100; number++) store.add(tracesOf([spanOf(`trace-${number}`)]));
  store.add(tracesOf([spanOf('trace-0')]));
  expect(store.list({}).kept).toBe(1000);
  expect(store.spansOf(idOf('trace-0'))).toBeUndefined();
  expect(store.spansOf(idOf('trace-99'))).toBeUndefined();
  expect(store.spansOf(idOf('trace-100'))).toHaveLength(1);
});

test('traces of watched orders are kept longer', () => {
  const store = createTraceStore();
  const ofOrder = (order: string) => ({ attributes: [text('order.id', order)] });
  store.watchOrder('mine');
  store.add(tracesOf([spanOf('trace-of-mine', ofOrder('mine')), spanOf('of-another', ofOrder('another'))]));
  for (let number = 0; number < 1000; number++) store.add(tracesOf([spanOf(`trace-${number}`)]));
  expect(store.list({ order: 'mine' }).traces).toMatchObject([{ id: idOf('trace-of-mine') }]);
  expect(store.spansOf(idOf('trace-of-mine'))).toHaveLength(1);
  expect(store.list({ order: 'another' }).traces).toEqual([]);
});

test('a trace has at most 1,000 spans, a span 64 attributes, a text 1,024 characters, a value four levels', () => {
  const store = createTraceStore();
  const many = Array.from({ length: 100 }, (_, number) => text(`key-${number}`, 'x'.repeat(2000)));
  store.add(tracesOf(Array.from({ length: 1500 }, () => spanOf('large', { attributes: many }))));
  const large = store.spansOf(idOf('large')) ?? [];
  expect(large).toHaveLength(1000);
  const attributes = Object.values(large[0]?.attributes ?? {});
  expect(attributes).toHaveLength(64);
  expect(attributes[0]).toBe(`${'x'.repeat(1024)}…`);
  let value: OtlpAttribute['value'] = { stringValue: 'deep' };
  for (let level = 0; level < 10_000; level++) value = { arrayValue: { values: [value] } };
  store.add(tracesOf([spanOf('deep', { attributes: [{ key: 'deep', value }] })]));
  expect(store.spansOf(idOf('deep'))?.[0]?.attributes.deep).toBe('[[[["…"]]]]');
});

test('64 MiB of text are kept, of any attribute and link', () => {
  const store = createTraceStore();
  const attributes = Array.from({ length: 64 }, (_, key) => text(`${key}`.padEnd(1024), 'x'.repeat(1024)));
  const links = Array.from({ length: 1000 }, () => ({ traceId: idOf('linked') }));
  store.watchOrder('mine');
  store.add(tracesOf([spanOf('watched', { attributes: [text('order.id', 'mine')] })]));
  for (let number = 0; number < 600; number++)
    store.add(tracesOf([spanOf(`large-${number}`, { attributes, links })]));
  const { kept, traces } = store.list({ limit: 600 });
  expect(JSON.stringify(traces.map(({ id }) => store.spansOf(id))).length).toBeLessThan(64 * 1024 * 1024);
  expect(kept).toBeGreaterThan(400);
  expect(traces.at(0)?.id).toBe(idOf('large-599'));
});

test('a span that is sent twice is kept once, with the ids and texts that it may have', () => {
  const store = createTraceStore();
  const name = 'n'.repeat(1_000_000);
  const parentSpanId = name;
  const links = [{ traceId: name }, { traceId: idOf('linked') }];
  const span = spanOf('twice', { name, parentSpanId, links });
  store.add(tracesOf([span, span]));
  store.add(tracesOf([span]));
  expect(store.spansOf(idOf('twice'))).toMatchObject([
    { name: `${'n'.repeat(1024)}…`, parentId: null, links: [idOf('linked')] },
  ]);
  store.add(tracesOf([spanOf('a', { traceId: name }), spanOf('b', { spanId: name })]));
  store.add(tracesOf([spanOf('c', { startTimeUnixNano: 'x' })]));
  expect(store.list({}).kept).toBe(1);
});

test('a field of another type than its own is as if it were absent', () => {
  const store = createTraceStore();
  const { name: _name, ...unnamed } = spanOf('unnamed');
  const attributes = [{ key: 5, value: { boolValue: 'x' } }, text('order.id', 'one')];
  const kind = 'map';
  store.add(tracesOf([spanOf('named', { name: 'orders' })]));
  store.add(tracesOf([{ ...spanOf('number'), name: 5, attributes, kind }, unnamed] as never));
  expect(store.list({ method: 'ORD' }).traces).toMatchObject([{ name: 'orders' }]);
  expect(store.list({ order: 'one' }).traces).toMatchObject([{ name: '' }]);
  expect(store.spansOf(idOf('number'))?.[0]).toMatchObject({ kind: 'internal', attributes: { '': false } });
});

test('times keep the fraction of their millisecond', () => {
  const store = createTraceStore();
  store.add(tracesOf([spanOf('exact')]));
  const [span] = store.spansOf(idOf('exact')) ?? [];
  expect(span?.startMs).toBeCloseTo(1795747359123.457, 2);
  expect(span?.durationMs).toBeCloseTo(2, 3);
});

const logsOf = (count: number, body: string, trace = 'trace') => ({
  resourceLogs: [
    {
      resource: { attributes: [text('service.name', 'orders')] },
      scopeLogs: [
        {
          logRecords: Array.from({ length: count }, (_, number) => ({
            timeUnixNano: `${1_795_747_359_000 + number}000000`,
            severityText: 'INFO',
            body: { stringValue: body },
            attributes: [text('code', 'OK')],
            traceId: idOf(trace),
            spanId: spanId(1),
          })),
        },
      ],
    },
  ],
});

test('the log lines of a trace are returned in the order of their time', () => {
  const store = createLogStore();
  store.add(logsOf(3, 'call'));
  store.add(logsOf(1, 'call', 'another'));
  expect(store.linesOf(idOf('trace'))).toHaveLength(3);
  expect(store.linesOf(idOf('another'))).toEqual([
    {
      atMs: 1_795_747_359_000,
      service: 'orders',
      level: 'info',
      message: 'call',
      fields: { code: 'OK' },
      spanId: spanId(1),
    },
  ]);
});

test('20,000 log lines and 8 MiB of their text are kept', () => {
  const short = createLogStore();
  for (let round = 0; round < 5; round++) short.add(logsOf(5000, `round ${round}`));
  expect(short.linesOf(idOf('trace'))).toHaveLength(20_000);
  expect(short.linesOf(idOf('trace')).some(({ message }) => message === 'round 0')).toBe(false);
  const long = createLogStore();
  for (let round = 0; round < 4; round++) long.add(logsOf(5000, 'x'.repeat(900)));
  const characters = long.linesOf(idOf('trace')).reduce((sum, { message }) => sum + message.length, 0);
  expect(characters).toBeLessThan(8 * 1024 * 1024);
  expect(characters).toBeGreaterThan(6 * 1024 * 1024);
});

test('the ids of a log line are those of spans and traces', () => {
  const store = createLogStore();
  const long = 'x'.repeat(1_000_000);
  const logRecords = [{ timeUnixNano: '1', traceId: long, spanId: long, severityText: long }];
  store.add({ resourceLogs: [{ scopeLogs: [{ logRecords }] }] });
  expect(store.linesOf(long)).toEqual([]);
  expect(store.linesOf('')).toMatchObject([{ spanId: null, level: `${'x'.repeat(1024)}…` }]);
});
