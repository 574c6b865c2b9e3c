import { describe, expect, test } from 'vitest';
import {
  allocateUnits,
  checkCount,
  InventoryError,
  type InventoryProblem,
  isSku,
  type Reservation,
  requireReserved,
  sameLines,
  sortedLines,
} from './stock.ts';

function problemOf(run: () => unknown): InventoryProblem {
  try {
    run();
  } catch (error) {
    if (error instanceof InventoryError) return error.problem;
    throw error;
  }
  throw new Error('no problem was thrown');
}

describe('lines', () => {
  test('lines are sorted by SKU into a new array', () => {
    const given = [
      { sku: 'b', quantity: 2 },
      { sku: 'B', quantity: 3 },
      { sku: 'a', quantity: 1 },
    ];
    const before = structuredClone(given);
    expect(sortedLines(given).map(({ sku }) => sku)).toEqual(['B', 'a', 'b']);
    expect(given).toEqual(before);
  });

  test('each repeated SKU is a violation that names its first line', () => {
    const lines = ['A', 'B', 'A', 'b', 'B', 'A'].map((sku) => ({ sku, quantity: 1 }));
    expect(problemOf(() => sortedLines(lines))).toEqual({
      kind: 'BAD_REQUEST',
      violations: [
        { field: 'lines[2].sku', description: 'names A again, as lines[0] does' },
        { field: 'lines[4].sku', description: 'names B again, as lines[1] does' },
        { field: 'lines[5].sku', description: 'names A again, as lines[0] does' },
      ],
    });
  });

  test.each([
    ['the same lines', [{ sku: 'A', quantity: 1 }], true],
    ['another quantity', [{ sku: 'A', quantity: 2 }], false],
    ['another SKU', [{ sku: 'a', quantity: 1 }], false],
    ['fewer lines', [], false],
    [
      'more lines',
      [
        { sku: 'A', quantity: 1 },
        { sku: 'B', quantity: 1 },
      ],
      false,
    ],
  ])('lines are compared with %s', (_name, lines, same) => {
    expect(sameLines([{ sku: 'A', quantity: 1 }], lines)).toBe(same);
  });
});

describe('allocateUnits', () => {
  test('all lines are allocated, down to the last unit', () => {
    const available = new Map([
      ['A', 3n],
      ['B', 2n ** 40n],
    ]);
    const lines = [
      { sku: 'A', quantity: 3 },
      { sku: 'B', quantity: 1 },
    ];
    expect(allocateUnits(available, lines)).toBeUndefined();
    expect([...available]).toEqual([
      ['A', 0n],
      ['B', 2n ** 40n - 1n],
    ]);
  });

  test('nothing is allocated if one line is short, and each short SKU is named', () => {
    const available = new Map([
      ['A', 5n],
      ['B', 1n],
      ['C', 0n],
    ]);
    const before = [...available];
    const lines = ['A', 'B', 'C'].map((sku) => ({ sku, quantity: 2 }));
    expect(allocateUnits(available, lines)).toEqual({
      reason: 'OUT_OF_STOCK',
      items: [
        { sku: 'B', description: '2 wanted, 1 available' },
        { sku: 'C', description: '2 wanted, 0 available' },
      ],
    });
    expect([...available]).toEqual(before);
  });

  test('unknown SKUs take precedence over short ones', () => {
    const available = new Map([['A', 0n]]);
    const lines = ['A', 'a', 'B'].map((sku) => ({ sku, quantity: 1 }));
    expect(allocateUnits(available, lines)).toMatchObject({
      reason: 'SKU_NOT_FOUND',
      items: [{ sku: 'a' }, { sku: 'B' }],
    });
  });
});

describe('requireReserved', () => {
  const lines = [{ sku: 'A', quantity: 1 }];
  const reservation: Reservation = {
    id: 'id',
    state: 'RESERVED',
    lines,
    refusal: undefined,
    createTime: new Date(0),
  };
  const refusal = { reason: 'OUT_OF_STOCK', items: [] } as const;
  const otherLines = [{ sku: 'A', quantity: 2 }];

  test('a reservation with the same lines is returned', () => {
    expect(requireReserved(reservation, lines)).toBe(reservation);
  });

  test.each([
    [
      'a repeated refusal is REFUSED again',
      { state: 'REFUSED', refusal },
      lines,
      { kind: 'REFUSED', refusal },
    ],
    [
      'other lines are RESERVATION_ID_REUSED',
      {},
      otherLines,
      { kind: 'RESERVATION_ID_REUSED', reservationId: 'id' },
    ],
    [
      'other lines of a refused reservation are RESERVATION_ID_REUSED',
      { state: 'REFUSED', refusal },
      otherLines,
      { kind: 'RESERVATION_ID_REUSED', reservationId: 'id' },
    ],
    [
      'a released reservation is RESERVATION_RELEASED',
      { state: 'RELEASED' },
      lines,
      { kind: 'RESERVATION_RELEASED', reservationId: 'id' },
    ],
    [
      'a refused and then released reservation is RESERVATION_RELEASED',
      { state: 'RELEASED', refusal },
      lines,
      { kind: 'RESERVATION_RELEASED', reservationId: 'id' },
    ],
    [
      'a tombstone is RESERVATION_RELEASED',
      { state: 'RELEASED', lines: [] },
      lines,
      { kind: 'RESERVATION_RELEASED', reservationId: 'id' },
    ],
  ] as const)('%s', (_name, change, requested, problem) => {
    expect(problemOf(() => requireReserved({ ...reservation, ...change }, requested))).toEqual(problem);
  });
});

describe('checkCount', () => {
  const stock = { onHand: 10n, reserved: 4n };

  test.for([
    ['fewer than on hand', stock, 4n, 10n, undefined],
    ['as many as on hand', stock, 10n, 10n, undefined],
    ['the maximum', stock, 10n ** 12n, 10n, undefined],
    ['fewer than reserved', stock, 3n, 10n, 'COUNT_BELOW_RESERVED'],
    ['less than zero', stock, -1n, 10n, 'COUNT_OUT_OF_RANGE'],
    ['more than the maximum', stock, 10n ** 12n + 1n, 10n, 'COUNT_OUT_OF_RANGE'],
    ['an unknown SKU', undefined, 5n, 0n, 'SKU_NOT_FOUND'],
  ] as const)('a count of %s', ([, before, counted, expected, errorReason]) => {
    expect(checkCount(before, counted)).toEqual({ expected, errorReason });
  });
});

test('isSku accepts exactly the SKUs that the contract allows', () => {
  for (const sku of ['A', 'a b', 'ä', '💡'.repeat(64)]) expect(isSku(sku)).toBe(true);
  for (const sku of ['', 'a\0', 'a\n', '\u0085', 'x'.repeat(65)]) expect(isSku(sku)).toBe(false);
});
