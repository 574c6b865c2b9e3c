import { expect, test } from 'vitest';
import { createPageBuffer } from './page-buffer.ts';

const items = (...sizes: number[]) => sizes.map((sizeBytes, index) => ({ sizeBytes, index }));

test('a page is consumed item by item', () => {
  const buffer = createPageBuffer<{ sizeBytes: number; index: number }>(100);
  using page = buffer(items(50, 50));
  expect([page.take()?.index, page.take()?.index, page.take()]).toEqual([0, 1, undefined]);
  expect(page.isDropped()).toBe(false);
});

test('the rest of the oldest page is dropped when there is no room for another', () => {
  const buffer = createPageBuffer<{ sizeBytes: number; index: number }>(100);
  using first = buffer(items(20, 20));
  using second = buffer(items(60));
  first.take();
  // 20 bytes are left of the first, 60 of the second.
  using third = buffer(items(20));
  expect([first.isDropped(), second.isDropped()]).toEqual([false, false]);
  using fourth = buffer(items(20));
  expect([first.isDropped(), second.isDropped(), third.isDropped()]).toEqual([true, false, false]);
  expect([first.take(), second.take()?.index, third.take()?.index]).toEqual([undefined, 0, 0]);
  expect(fourth.take()?.index).toBe(0);
});

test('a page larger than the buffer is buffered alone', () => {
  const buffer = createPageBuffer<{ sizeBytes: number; index: number }>(100);
  using small = buffer(items(1));
  using large = buffer(items(200));
  expect([small.isDropped(), large.isDropped()]).toEqual([true, false]);
  expect(large.take()?.index).toBe(0);
});

test('a disposed page makes room', () => {
  const buffer = createPageBuffer<{ sizeBytes: number; index: number }>(100);
  for (let round = 0; round < 10; round++) {
    using page = buffer(items(60, 40));
    page.take();
  }
  using kept = buffer(items(50));
  using other = buffer(items(50));
  expect([kept.isDropped(), other.isDropped()]).toEqual([false, false]);
});
