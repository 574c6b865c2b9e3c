import { expect, test } from 'vitest';
import { type KnownStock, type Ranking, rankRows } from '../../page/data/stock-rows.ts';

const ranking: Ranking = { count: 2, first: undefined, nowMs: 0 };

/** Returns items by SKU, from their activity. */
function items(activity: Readonly<Record<string, number>>): ReadonlyMap<string, KnownStock> {
  return new Map(
    Object.entries(activity).map(([sku, each]) => [
      sku,
      { sku, title: '', onHand: 10, reserved: 0, available: 10, updatedAtMs: 0, activity: each },
    ]),
  );
}

test('the busiest items have the rows', () => {
  expect(rankRows([], items({ A: 1, B: 3, C: 2 }), ranking)).toEqual(['B', 'C']);
});

test('rows do not change their places when the order of their activity changes', () => {
  expect(rankRows(['B', 'C'], items({ A: 1, B: 3, C: 9 }), ranking)).toEqual(['B', 'C']);
});

test('a much busier item takes the row of the least busy one, and a slightly busier one does not', () => {
  expect(rankRows(['B', 'C'], items({ A: 2.2, B: 3, C: 2 }), ranking)).toEqual(['B', 'C']);
  expect(rankRows(['B', 'C'], items({ A: 4, B: 3, C: 2 }), ranking)).toEqual(['B', 'A']);
});

test('activity fades', () => {
  const all = new Map([
    ...items({ A: 4, B: 3 }),
    ['C', { ...items({ C: 2 }).get('C'), updatedAtMs: 60_000 } as KnownStock],
  ]);
  expect(rankRows(['A', 'B'], all, { ...ranking, nowMs: 60_000 })).toEqual(['A', 'C']);
});

test('the hot item has the first row, unless it is unknown', () => {
  expect(rankRows(['B', 'C'], items({ A: 0, B: 3, C: 2 }), { ...ranking, first: 'A' })).toEqual(['A', 'B']);
  expect(rankRows(['B', 'C'], items({ B: 3, C: 2 }), { ...ranking, first: 'A' })).toEqual(['B', 'C']);
});
