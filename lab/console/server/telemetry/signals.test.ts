import { expect, test } from 'vitest';
import { addPoint, emptyHistogram, quantileOf } from './histogram.ts';
import { createSignalStore, intervalMs } from './signals.ts';

const startMs = 1_000_000 * intervalMs;

/** The export of a replica with a number of PlaceOrder calls. */
const exportOf = (count: number, instance = 'one') => ({
  resourceMetrics: [
    {
      resource: {
        attributes: [
          { key: 'service.name', value: { stringValue: 'orders' } },
          { key: 'service.instance.id', value: { stringValue: instance } },
        ],
      },
      scopeMetrics: [
        {
          metrics: [
            {
              name: 'rpc.server.call.duration',
              histogram: {
                aggregationTemporality: 1,
                dataPoints: [
                  {
                    attributes: [{ key: 'rpc.method', value: { stringValue: 'PlaceOrder' } }],
                    timeUnixNano: '0',
                    count,
                    bucketCounts: [count],
                    explicitBounds: [],
                    min: 0.002,
                    max: 0.002,
                  },
                ],
              },
            },
            {
              name: 'nodejs.eventloop.utilization',
              gauge: { dataPoints: [{ timeUnixNano: '0', asDouble: count / 100 }] },
            },
          ],
        },
      ],
    },
  ],
});

function openSignals() {
  const clock = { nowMs: startMs };
  const store = createSignalStore(() => clock.nowMs);
  const ratesAt = (nowMs: number, sinceMs = 0) => {
    clock.nowMs = nowMs;
    return store.since(sinceMs).services[0]?.methods[0]?.points.map(({ perSecond }) => perSecond);
  };
  const add = (atMs: number, count: number, instance?: string) => {
    clock.nowMs = atMs;
    store.add(exportOf(count, instance));
  };
  return { clock, store, add, ratesAt };
}

test('each export has an interval of its own, although the timer of its process is late', () => {
  const { add, ratesAt } = openSignals();
  // The exports drift across the borders of the intervals: two would fall into one of them, and none into another.
  const lateMs = [1900, 1990, 2050, 1960, 2150];
  for (const [index, late] of lateMs.entries()) add(startMs + index * intervalMs + late, 10);
  expect(ratesAt(startMs + 7 * intervalMs)?.slice(0, 5)).toEqual([5, 5, 5, 5, 5]);
});

test('exports that drift by 1 ms each leave no interval without calls in a night', () => {
  const { clock, store, add } = openSignals();
  const rates: number[] = [];
  let newestMs = 0;
  for (let index = 0; index < 7200; index++) {
    const atMs = startMs + index * (intervalMs + 1);
    add(atMs, 10);
    // As the page asks: for what is newer than its newest point.
    for (const laterMs of [500, 1500]) {
      clock.nowMs = atMs + laterMs;
      const points = store.since(newestMs).services[0]?.methods[0]?.points ?? [];
      rates.push(...points.map(({ perSecond }) => perSecond));
      newestMs = points.at(-1)?.atMs ?? newestMs;
    }
  }
  expect(rates.length).toBeGreaterThan(7190);
  expect(new Set(rates)).toEqual(new Set([5]));
});

test('replicas are added up, and their event loops averaged', () => {
  const { store, add, ratesAt } = openSignals();
  add(startMs + 100, 10, 'one');
  add(startMs + 900, 30, 'two');
  expect(ratesAt(startMs + 2 * intervalMs)).toEqual([20]);
  expect(store.since(0).services[0]?.saturation).toMatchObject([{ eventLoopUtilization: 0.2 }]);
});

test('an interval without an export has no calls, and no saturation', () => {
  const { store, add, ratesAt } = openSignals();
  add(startMs, 10);
  add(startMs + 5 * intervalMs, 10);
  expect(ratesAt(startMs + 7 * intervalMs)).toEqual([5, 0, 0, 0, 0, 5]);
  expect(store.since(0).services[0]?.saturation).toHaveLength(2);
});

test('the points after a time are returned, of ten minutes, and of intervals that are over', () => {
  const { add, ratesAt } = openSignals();
  for (let index = 0; index < 400; index++) add(startMs + index * intervalMs + 100, index * 2);
  const nowMs = startMs + 399 * intervalMs + 1500;
  expect(ratesAt(nowMs)).toHaveLength(300);
  expect(ratesAt(nowMs, startMs + 396 * intervalMs)).toEqual([397, 398]);
});

test('a process that exports without a pause takes no interval of others', () => {
  const { store, add, ratesAt } = openSignals();
  for (let index = 0; index < 100; index++) add(startMs + index * intervalMs + 100, 10, 'real');
  const { resourceMetrics } = exportOf(10, 'fast');
  store.add({ resourceMetrics: Array.from({ length: 800 }, () => resourceMetrics).flat() });
  const rates = ratesAt(startMs + 103 * intervalMs);
  expect(rates?.slice(0, 99)).toEqual(Array.from({ length: 99 }, () => 5));
});

test('a service has at most 50 replicas in ten minutes', () => {
  const { store, ratesAt } = openSignals();
  const replicas = Array.from({ length: 5000 }, (_, number) => exportOf(2, `replica-${number}`));
  store.add({ resourceMetrics: replicas.flatMap(({ resourceMetrics }) => resourceMetrics) });
  expect(ratesAt(startMs + 2 * intervalMs)).toEqual([50]);
});

/** The export of a method with the fields of a point. */
const pointsOf = (points: readonly object[]) => ({
  resourceMetrics: [
    {
      scopeMetrics: [
        {
          metrics: [
            {
              name: 'rpc.server.call.duration',
              histogram: { aggregationTemporality: 1, dataPoints: points as never },
            },
          ],
        },
      ],
    },
  ],
});

test('a method has at most 20 codes, and the others count together', () => {
  const { store, ratesAt } = openSignals();
  const code = (stringValue: string) => [{ key: 'rpc.status_code', value: { stringValue } }];
  const codes = ['__proto__', ...Array.from({ length: 100 }, (_, number) => `E${number}`), 'x'.repeat(1000)];
  store.add(pointsOf(codes.map((each) => ({ count: 2, attributes: code(each) }))));
  expect(ratesAt(startMs + 2 * intervalMs)).toEqual([102]);
  const { errorsPerSecond = {} } = store.since(0).services[0]?.methods[0]?.points[0] ?? {};
  expect(Object.keys(errorsPerSecond)).toHaveLength(21);
  expect(Object.values(errorsPerSecond).reduce((sum, rate) => sum + rate, 0)).toBe(102);
});

test('points that are not finite numbers, or have over 100 buckets, are left out', () => {
  const { store, ratesAt } = openSignals();
  store.add(
    pointsOf([
      { count: 2, bucketCounts: ['2'], explicitBounds: [] },
      { count: 'x' },
      { count: 2, bucketCounts: ['y'] },
      { count: 2, min: 'z' },
      { count: 2, explicitBounds: [null] },
      { count: 2, bucketCounts: Array.from({ length: 101 }, () => 0) },
    ]),
  );
  expect(ratesAt(startMs + 2 * intervalMs)).toEqual([1]);
});

test('quantiles are interpolated in their bucket, within the smallest and the largest value', () => {
  const sum = emptyHistogram();
  expect(quantileOf(sum, 0.5)).toBeNull();
  addPoint(sum, {
    timeUnixNano: '0',
    count: 4,
    bucketCounts: [0, 4, 0],
    explicitBounds: [1, 2],
    min: 1,
    max: 2,
  });
  expect(quantileOf(sum, 0.5)).toBe(1.5);
  addPoint(sum, {
    timeUnixNano: '0',
    count: '4',
    bucketCounts: [0, 0, '4'],
    explicitBounds: [1, 2],
    max: 10,
  });
  expect(quantileOf(sum, 0.5)).toBe(2);
  expect(quantileOf(sum, 0.75)).toBe(6);
  expect(quantileOf(sum, 1)).toBe(10);
});
