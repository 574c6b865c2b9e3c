import { expect, test } from 'vitest';
import type { Span } from '../../api.ts';
import { extentOf, inOrder } from '../../page/traces/span-tree.ts';

function span(id: string, parentId: string | null, startMs: number): Span {
  const rest = { service: 'orders', name: id, kind: 'internal', code: null, isError: false } as const;
  return { ...rest, id, parentId, startMs, durationMs: 10, attributes: {}, links: [] };
}

const outline = (spans: readonly Span[]) => inOrder(spans).map(({ span: { id }, depth }) => `${depth}${id}`);

test('spans are below their parents, siblings by their start', () => {
  expect(
    outline([
      span('late', 'root', 5),
      span('leaf', 'early', 3),
      span('early', 'root', 2),
      span('root', null, 0),
    ]),
  ).toEqual(['0root', '1early', '2leaf', '1late']);
});

test('a span whose parent is not exported yet, or is of another process, is a root', () => {
  expect(outline([span('child', 'missing', 1), span('root', null, 0)])).toEqual(['0root', '0child']);
});

test('the extent is that of all spans', () => {
  expect(extentOf([span('a', null, 5), span('b', 'a', 20)])).toEqual({ startMs: 5, endMs: 30 });
});
