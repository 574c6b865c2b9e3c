import { expect, test } from 'vitest';
import { openMeasurements } from './measurements.ts';

test('ensure a limit is judged by 99 in 100 of what all rounds have measured', () => {
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
  expect(measurements.overLimit()).toEqual(['answered in 100 ms at p99, not within 99']);
});
