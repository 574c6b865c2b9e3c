import { collectTelemetry } from '@acme/rpc/testing';
import { SpanStatusCode, trace } from '@opentelemetry/api';
import { expect, test } from 'vitest';
import { createBatcher } from './batcher.ts';

/** Adds the item in a separate call with a separate trace. */
const call = <T>(add: (item: number) => Promise<T>, item: number) =>
  trace.getTracer('test').startActiveSpan(`call ${item}`, (span) => add(item).finally(() => span.end()));

/** Returns a batcher whose `run` makes a span. */
const batcher = (run: (items: number[]) => Promise<number[]>) =>
  createBatcher<number, number>({
    name: 'double',
    run: (items) =>
      trace
        .getTracer('test')
        .startActiveSpan(`work on ${items}`, (span) => run(items).finally(() => span.end())),
    maxItems: 3,
    maxQueued: 10,
  });

test('a batch is in the trace of its first call, and is linked to and from the others', async () => {
  await using telemetry = collectTelemetry();
  const add = batcher(async (items) => items);
  await Promise.all([1, 2, 3].map((item) => call(add, item)));
  const named = (name: string) => telemetry.spans.filter((span) => span.name === name);
  const items = named('double');
  const parents = [1, 2, 3].map((item) => named(`call ${item}`)[0]?.spanContext());
  expect(items.map((span) => span.parentSpanContext)).toEqual(parents);
  expect(items.map(({ attributes }) => attributes)).toEqual(Array(3).fill({ 'batch.size': 3 }));
  const [first, ...others] = items.map((span) => span.spanContext());
  expect(named('work on 1,2,3')[0]?.parentSpanContext).toEqual(first);
  const linked = items.map(({ links }) => links.map(({ context }) => context));
  expect(linked).toEqual([others, [first], [first]]);
});

test('a batch of one item is in the trace of its call, without links', async () => {
  await using telemetry = collectTelemetry();
  const add = batcher(async (items) => items);
  await call(add, 1);
  await call(add, 2);
  const spans = telemetry.spans.map(({ name, attributes, links }) => ({ name, attributes, links }));
  const plain = (name: string) => ({ name, attributes: {}, links: [] });
  expect(spans).toEqual(['call 1', 'double', 'work on 1', 'call 2', 'double', 'work on 2'].map(plain));
  expect(new Set(telemetry.spans.map((span) => span.spanContext().traceId)).size).toBe(2);
  expect(await telemetry.points('batch.size')).toMatchObject([
    { attributes: { 'batch.name': 'double' }, value: { count: 2, sum: 2 } },
  ]);
});

test('a failed item has a failed span, and the other items of its batch do not', async () => {
  await using telemetry = collectTelemetry();
  const add = batcher(async (items) => {
    if (items.includes(2)) throw new RangeError('canary');
    return items;
  });
  await Promise.allSettled([1, 2].map((item) => call(add, item)));
  const items = telemetry.spans.filter(({ name }) => name === 'double');
  expect(items.map(({ status }) => status.code)).toEqual([SpanStatusCode.UNSET, SpanStatusCode.ERROR]);
  expect(items[1]?.attributes).toMatchObject({ 'error.type': 'RangeError' });
  expect(items.map(({ ended }) => ended)).toEqual([true, true]);
});
