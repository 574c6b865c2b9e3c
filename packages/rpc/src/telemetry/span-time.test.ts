import { setImmediate as nextTurn } from 'node:timers/promises';
import type { HrTime } from '@opentelemetry/api';
import { afterEach, expect, test, vi } from 'vitest';
import { collectTelemetry } from '../testing/telemetry/collect-telemetry.ts';
import { inSpan } from './span.ts';
import { spanEnd, spanStart } from './span-time.ts';

afterEach(() => void vi.restoreAllMocks());

const nanoseconds = ([seconds, ns]: HrTime) => BigInt(seconds) * 1_000_000_000n + BigInt(ns);

test('spans of less than a millisecond that follow each other do not overlap, and lie within their parent', async () => {
  await using telemetry = collectTelemetry();
  await inSpan('call', {}, async () => {
    for (let index = 0; index < 100; index++) await inSpan('statement', {}, () => nextTurn());
  });
  const [call, ...statements] = telemetry.spans.map(({ startTime, endTime }) => ({
    start: nanoseconds(startTime),
    end: nanoseconds(endTime),
  }));
  const times = statements.flatMap(({ start, end }) => [start, end]);
  const inOrder = [call?.start, ...times, call?.end];
  expect(inOrder).toEqual(inOrder.toSorted((a, b) => Number((a ?? 0n) - (b ?? 0n))));
});

test.each([
  ['forwards', 3_600_000],
  ['back', -3_600_000],
])(
  'a wall clock that is set %s changes the start of later spans, and the duration of none',
  (_case, stepMs) => {
    const start = spanStart();
    const nowMs = Date.now() + stepMs;
    vi.spyOn(Date, 'now').mockReturnValue(nowMs);
    const later = spanStart();
    expect(Math.abs(later.time - nowMs)).toBeLessThan(60_000);
    expect(spanEnd(start) - start.time).toBeLessThan(60_000);
    expect(spanEnd(start)).toBeGreaterThan(start.time);
  },
);
