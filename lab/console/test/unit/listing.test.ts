import { expect, test } from 'vitest';
import type { KnownOrder } from '../../page/data/known-orders.ts';
import { advance, emptyListing, type Listing } from '../../page/overview/listing.ts';

const second = 1000;

/** The page after it has seen these orders, in this sequence. */
function present(ids: readonly string[], more: { readonly isLive?: boolean; readonly atMs?: number } = {}) {
  return {
    orders: {
      seen: ids.length,
      newest: (count: number) => ids.slice(-count).map((id) => ({ id }) as KnownOrder),
      lastPlaced: (count: number) => [...ids].sort().slice(-count).toReversed(),
    },
    isLive: true,
    isOwn: (id: string) => id.startsWith('own'),
    atMs: second,
    ...more,
  };
}

function listed(ids: readonly string[]): Listing {
  return advance(emptyListing, present(ids, { atMs: 0 }));
}

test('the orders of all customers are listed by the time of their placing, in whatever sequence the page gets them', () => {
  const ofOne = ['2', '5', '6'];
  const first = advance(emptyListing, present(ofOne, { isLive: false, atMs: 0 }));
  const all = advance(first, present([...ofOne, '1', '3', '4'], { atMs: 10 }));
  expect(all).toMatchObject({ ids: ['6', '5', '4', '3', '2', '1'], isSample: false });
});

test('of many new orders, the last ones and those of the page are added', () => {
  const listing = advance(listed(['1']), present(['1', '2', 'own', '3', '4', '5']));
  expect(listing).toMatchObject({ ids: ['5', '4', 'own', '1'], isSample: true });
});

test('a list without new orders is a sample no longer', () => {
  const ids = ['1', '2', '3', '4'];
  const sample = advance(listed(['1']), present(ids));
  expect(sample.isSample).toBe(true);
  expect(advance(sample, present(ids, { atMs: 4 * second })).isSample).toBe(false);
});

test('new orders wait until the rows before them were shown for half a second', () => {
  const listing = listed(['1']);
  expect(advance(listing, present(['1', '2'], { atMs: 499 }))).toBe(listing);
  expect(advance(listing, present(['1', '2'], { atMs: 500 })).ids).toEqual(['2', '1']);
});

test('after an interruption of a watch, the list has the orders that were placed meanwhile', () => {
  const interrupted = advance(listed(['1']), present(['1'], { isLive: false }));
  const resumed = advance(interrupted, present(['1', '2', '3', '4', '5']));
  expect(resumed.ids).toEqual(['5', '4', '3', '2', '1']);
});
