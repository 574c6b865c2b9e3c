import { expect, test } from 'vitest';
import type { Span } from '../../api.ts';
import { mainSpans } from '../../page/order/main-spans.ts';
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

test('parents that form a circle end, and no span is there twice', () => {
  expect(outline([span('self', 'self', 0)])).toEqual(['0self']);
  expect(
    outline([span('b', 'a', 1), span('a', 'b', 0), span('leaf', 'b', 2), span('root', null, 3)]),
  ).toEqual(['0root', '0a', '1b', '2leaf']);
  expect(outline([span('a', null, 0), span('a', 'a', 1), span('a', 'a', 2)])).toEqual(['0a', '1a', '2a']);
});

test('the calls of an order are below the next call, whatever is between them', () => {
  const call = (id: string, parentId: string | null) => ({
    ...span(id, parentId, 0),
    kind: 'server' as const,
  });
  const main = mainSpans([
    call('root', null),
    span('client', 'root', 1),
    call('below', 'client'),
    span('a', 'b', 1),
    span('b', 'a', 1),
    call('of-circle', 'a'),
  ]);
  expect(main.map(({ id, parentId }) => [id, parentId])).toEqual([
    ['root', null],
    ['below', 'root'],
    ['of-circle', null],
  ]);
});

test('the extent is that of all spans', () => {
  expect(extentOf([span('a', null, 5), span('b', 'a', 20)])).toEqual({ startMs: 5, endMs: 30 });
});
