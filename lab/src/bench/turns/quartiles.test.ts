import { expect, test } from 'vitest';
import { quartilesOf } from './quartiles.ts';

test('the lower quartile leaves a quarter of the turns below, and the spread is in percent of the median', () => {
  expect(quartilesOf([40, 10, 30, 20])).toEqual({ lower: 10, spreadPercent: 100 });
});

test('half of the turns may be disturbed without a change of the lower quartile', () => {
  const quiet = [100, 101, 102, 103, 104, 105, 106, 107];
  const disturbed = quiet.map((us, turn) => (turn < 4 ? us : us * 3));
  expect(quartilesOf(disturbed).lower).toBe(quartilesOf(quiet).lower);
});

test('no turns have no figures', () => {
  expect(quartilesOf([])).toEqual({ lower: Number.NaN, spreadPercent: Number.NaN });
});
