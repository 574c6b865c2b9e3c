import { expect, test } from 'vitest';
import { createHeldPages } from './held-pages.ts';

const items = (...sizes: number[]) => sizes.map((sizeBytes, index) => ({ sizeBytes, index }));

test('a page is taken item by item', () => {
  const hold = createHeldPages<{ sizeBytes: number; index: number }>(100);
  using page = hold(items(50, 50));
  expect([page.take()?.index, page.take()?.index, page.take()]).toEqual([0, 1, undefined]);
  expect(page.isDropped()).toBe(false);
});

test('the rest of the page that is held longest is dropped when there is no room for another', () => {
  const hold = createHeldPages<{ sizeBytes: number; index: number }>(100);
  using first = hold(items(20, 20));
  using second = hold(items(60));
  first.take();
  // The first holds 20, the second 60.
  using third = hold(items(20));
  expect([first.isDropped(), second.isDropped()]).toEqual([false, false]);
  using fourth = hold(items(20));
  expect([first.isDropped(), second.isDropped(), third.isDropped()]).toEqual([true, false, false]);
  expect([first.take(), second.take()?.index, third.take()?.index]).toEqual([undefined, 0, 0]);
  expect(fourth.take()?.index).toBe(0);
});

test('a page that is larger than all the room is held alone', () => {
  const hold = createHeldPages<{ sizeBytes: number; index: number }>(100);
  using small = hold(items(1));
  using large = hold(items(200));
  expect([small.isDropped(), large.isDropped()]).toEqual([true, false]);
  expect(large.take()?.index).toBe(0);
});

test('what is disposed makes room', () => {
  const hold = createHeldPages<{ sizeBytes: number; index: number }>(100);
  for (let page = 0; page < 10; page++) {
    using held = hold(items(60, 40));
    held.take();
  }
  using kept = hold(items(50));
  using other = hold(items(50));
  expect([kept.isDropped(), other.isDropped()]).toEqual([false, false]);
});
