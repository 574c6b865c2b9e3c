import { expect, test } from 'vitest';
import type { MethodPoint, Signals } from '../../api.ts';
import { newestMs, startOfCharts, withNewer } from '../../page/signals/history.ts';

const method = 'orders.v1.OrderService/GetOrder';
const minuteMs = 60_000;

function point(atMs: number): MethodPoint {
  return { atMs, perSecond: 1, errorsPerSecond: {}, p50Ms: null, p95Ms: null, p99Ms: null };
}

function signals(...times: readonly number[]): Signals {
  const methods = [{ method, points: times.map(point) }];
  return { intervalMs: 2000, services: [{ service: 'orders', methods, saturation: [] }] };
}

test('newer points are appended, once', () => {
  const first = withNewer(new Map(), signals(1000, 3000), 3000);
  const second = withNewer(first, signals(3000, 5000), 5000);
  expect(
    second
      .get('orders')
      ?.methods.get(method)
      ?.map(({ atMs }) => atMs),
  ).toEqual([1000, 3000, 5000]);
  expect(newestMs(second)).toBe(5000);
});

test('points are forgotten after ten minutes', () => {
  const history = withNewer(new Map(), signals(0, 5 * minuteMs, 12 * minuteMs), 12 * minuteMs);
  expect(
    history
      .get('orders')
      ?.methods.get(method)
      ?.map(({ atMs }) => atMs),
  ).toEqual([5 * minuteMs, 12 * minuteMs]);
});

test('charts begin at the first point, from two to ten minutes ago', () => {
  const nowMs = 60 * minuteMs;
  const startOf = (ageMs: number) =>
    nowMs - startOfCharts(withNewer(new Map(), signals(nowMs - ageMs), nowMs), nowMs);
  expect(startOf(0)).toBe(2 * minuteMs);
  expect(startOf(5 * minuteMs)).toBe(5 * minuteMs);
  expect(nowMs - startOfCharts(new Map(), nowMs)).toBe(2 * minuteMs);
});
