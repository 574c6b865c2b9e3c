import { expect, test } from 'vitest';
import { createLogStore } from './log-store.ts';
import type { OtlpAttribute, OtlpSpan } from './otlp-json.ts';
import { createTraceStore } from './trace-store.ts';

const spanOf = (traceId: string, fields: Partial<OtlpSpan> = {}): OtlpSpan => ({
  traceId,
  spanId: 'span',
  name: 'name',
  startTimeUnixNano: '1795747359123456789',
  endTimeUnixNano: '1795747359125456789',
  ...fields,
});
const tracesOf = (spans: readonly OtlpSpan[]) => ({ resourceSpans: [{ scopeSpans: [{ spans }] }] });
const text = (key: string, stringValue: string): OtlpAttribute => ({ key, value: { stringValue } });

test('the last thousand traces are kept, and late spans of an older one do not come back', () => {
  const store = createTraceStore();
  for (let number = 0; number < 1100; number++) store.add(tracesOf([spanOf(`trace-${number}`)]));
  store.add(tracesOf([spanOf('trace-0')]));
  expect(store.list({}).kept).toBe(1000);
  expect(store.spansOf('trace-0')).toBeUndefined();
  expect(store.spansOf('trace-99')).toBeUndefined();
  expect(store.spansOf('trace-100')).toHaveLength(1);
});

test('traces of watched orders are kept longer', () => {
  const store = createTraceStore();
  const ofOrder = (order: string) => ({ attributes: [text('order.id', order)] });
  store.watchOrder('mine');
  store.add(tracesOf([spanOf('trace-of-mine', ofOrder('mine')), spanOf('of-another', ofOrder('another'))]));
  for (let number = 0; number < 1000; number++) store.add(tracesOf([spanOf(`trace-${number}`)]));
  expect(store.list({ order: 'mine' }).traces).toMatchObject([{ id: 'trace-of-mine' }]);
  expect(store.spansOf('trace-of-mine')).toHaveLength(1);
  expect(store.list({ order: 'another' }).traces).toEqual([]);
});

test('a trace has at most 1,000 spans, a span 64 attributes, a text 1,024 characters, a value four levels', () => {
  const store = createTraceStore();
  const many = Array.from({ length: 100 }, (_, number) => text(`key-${number}`, 'x'.repeat(2000)));
  store.add(tracesOf(Array.from({ length: 1500 }, () => spanOf('large', { attributes: many }))));
  const spans = store.spansOf('large') ?? [];
  expect(spans).toHaveLength(1000);
  const attributes = Object.values(spans[0]?.attributes ?? {});
  expect(attributes).toHaveLength(64);
  expect(attributes[0]).toBe(`${'x'.repeat(1024)}…`);
  let value: OtlpAttribute['value'] = { stringValue: 'deep' };
  for (let level = 0; level < 10_000; level++) value = { arrayValue: { values: [value] } };
  store.add(tracesOf([spanOf('deep', { attributes: [{ key: 'deep', value }] })]));
  expect(store.spansOf('deep')?.[0]?.attributes.deep).toBe('[[[["…"]]]]');
});

test('times keep the fraction of their millisecond', () => {
  const store = createTraceStore();
  store.add(tracesOf([spanOf('exact')]));
  const [span] = store.spansOf('exact') ?? [];
  expect(span?.startMs).toBeCloseTo(1795747359123.457, 2);
  expect(span?.durationMs).toBeCloseTo(2, 3);
});

const logsOf = (count: number, body: string, traceId = 'trace') => ({
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
            traceId,
            spanId: 'span',
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
  expect(store.linesOf('trace')).toHaveLength(3);
  expect(store.linesOf('another')).toEqual([
    {
      atMs: 1_795_747_359_000,
      service: 'orders',
      level: 'info',
      message: 'call',
      fields: { code: 'OK' },
      spanId: 'span',
    },
  ]);
});

test('20,000 log lines and 8 MiB of their text are kept', () => {
  const short = createLogStore();
  for (let round = 0; round < 5; round++) short.add(logsOf(5000, `round ${round}`));
  expect(short.linesOf('trace')).toHaveLength(20_000);
  expect(short.linesOf('trace').some(({ message }) => message === 'round 0')).toBe(false);
  const long = createLogStore();
  for (let round = 0; round < 4; round++) long.add(logsOf(5000, 'x'.repeat(900)));
  const characters = long.linesOf('trace').reduce((sum, { message }) => sum + message.length, 0);
  expect(characters).toBeLessThan(8 * 1024 * 1024);
  expect(characters).toBeGreaterThan(6 * 1024 * 1024);
});
