import { expect, test } from 'vitest';
import { openMeasurements } from './measurements.ts';

test('a limit applies to the p99 of all rounds', () => {
  const measurements = openMeasurements();
  for (let round = 0; round < 2; round++)
    measurements.add(
      'answered',
      Array.from({ length: 100 }, (_, index) => index + 1),
      99,
    );
  expect(measurements.all()).toEqual([{ name: 'answered', count: 200, p50Ms: 50, p99Ms: 99, maxMs: 100 }]);
  expect(measurements.overLimit()).toEqual([]);
  measurements.add('answered', [100], 99);
  expect(measurements.overLimit()).toEqual(['answered: p99 is 100 ms, limit 99 ms']);
});
