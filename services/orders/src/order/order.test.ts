import { describe, expect, test } from 'vitest';
import {
  etagOf,
  fingerprintOf,
  needsCancelling,
  type Order,
  OrderError,
  type OrderProblem,
  requireOneLinePerSku,
} from './order.ts';

function problemOf(run: () => unknown): OrderProblem {
  try {
    run();
  } catch (error) {
    if (error instanceof OrderError) return error.problem;
    throw error;
  }
  throw new Error('no problem was thrown');
}

test('each repeated SKU is a violation that names its first line', () => {
  const lines = ['A', 'B', 'A', 'b', 'B', 'A'].map((sku) => ({ sku, quantity: 1 }));
  expect(problemOf(() => requireOneLinePerSku(lines))).toEqual({
    kind: 'BAD_REQUEST',
    violations: [
      { field: 'lines[2].sku', description: 'names A again, as lines[0] does' },
      { field: 'lines[4].sku', description: 'names B again, as lines[1] does' },
      { field: 'lines[5].sku', description: 'names A again, as lines[0] does' },
    ],
  });
  expect(requireOneLinePerSku(lines.slice(0, 2))).toBeUndefined();
});

describe('the fingerprint', () => {
  const lines = [
    { sku: 'a', quantity: 1 },
    { sku: 'B', quantity: 2 },
    { sku: 'c', quantity: 3 },
  ];
  const hexOf = (each: typeof lines) => fingerprintOf(each).toString('hex');

  test('the fingerprint does not depend on the order of the lines', () => {
    expect(hexOf(lines.toReversed())).toBe(hexOf(lines));
    expect(hexOf(lines)).toHaveLength(64);
  });

  test.each([
    ['a quantity', [{ sku: 'a', quantity: 2 }, ...lines.slice(1)]],
    ['the case of a SKU', [{ sku: 'A', quantity: 1 }, ...lines.slice(1)]],
    ['a line more', [...lines, { sku: 'd', quantity: 1 }]],
    ['a line less', lines.slice(1)],
    ['a SKU that looks like two lines', [{ sku: 'B",2],["a', quantity: 1 }, ...lines.slice(2)]],
  ])('the fingerprint changes with %s', (_name, others) => {
    expect(hexOf(others)).not.toBe(hexOf(lines));
  });
});

describe('cancelling', () => {
  const order: Order = {
    id: 'id',
    customerId: 'alice',
    lines: [],
    state: 'CONFIRMED',
    rejection: undefined,
    version: 2n,
    createTime: new Date(0),
    updateTime: new Date(0),
  };
  const [fresh, stale] = [etagOf(order), etagOf({ ...order, version: 1n })];

  test('the etag changes with the order', () => {
    expect(fresh).not.toBe(stale);
  });

  test.each([
    ['PENDING', '', true],
    ['PENDING', fresh, true],
    ['CONFIRMED', '', true],
    ['CONFIRMED', fresh, true],
    ['CANCELLED', '', false],
    ['CANCELLED', stale, false],
  ] as const)('a cancel of a %s order with the etag "%s" changes it: %s', (state, etag, does) => {
    expect(needsCancelling({ ...order, state }, etag)).toBe(does);
  });

  test.each([
    ['PENDING', stale, 'ETAG_MISMATCH'],
    ['CONFIRMED', stale, 'ETAG_MISMATCH'],
    ['REJECTED', stale, 'ETAG_MISMATCH'],
    ['REJECTED', fresh, 'ORDER_REJECTED'],
    ['REJECTED', '', 'ORDER_REJECTED'],
  ] as const)('a cancel of a %s order with the etag "%s" is rejected as %s', (state, etag, kind) => {
    expect(problemOf(() => needsCancelling({ ...order, state }, etag))).toEqual({ kind, id: 'id' });
  });
});
