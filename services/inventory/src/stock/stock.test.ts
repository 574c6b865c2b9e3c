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
  throw new Error('nothing was refused');
}

describe('lines', () => {
  test('ensure they are put in the order of their SKUs, and what was given stays as it is', () => {
    const given = [
      { sku: 'b', quantity: 2 },
      { sku: 'B', quantity: 3 },
      { sku: 'a', quantity: 1 },
    ];
    const before = structuredClone(given);
    expect(sortedLines(given).map(({ sku }) => sku)).toEqual(['B', 'a', 'b']);
    expect(given).toEqual(before);
  });

  test('ensure every SKU that comes again is refused, with the first that named it', () => {
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
    ['the same', [{ sku: 'A', quantity: 1 }], true],
    ['another quantity', [{ sku: 'A', quantity: 2 }], false],
    ['another SKU', [{ sku: 'a', quantity: 1 }], false],
    ['fewer', [], false],
    [
      'more',
      [
        { sku: 'A', quantity: 1 },
        { sku: 'B', quantity: 1 },
      ],
      false,
    ],
  ])('ensure %s are told from these', (_name, lines, same) => {
    expect(sameLines([{ sku: 'A', quantity: 1 }], lines)).toBe(same);
  });
});

describe('taking stock', () => {
  test('ensure all lines are taken, down to the last unit', () => {
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

  test('ensure nothing is taken when one line is short, and each short SKU is named', () => {
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

  test('ensure a SKU that nobody knows is said before one that is short', () => {
    const available = new Map([['A', 0n]]);
    const lines = ['A', 'a', 'B'].map((sku) => ({ sku, quantity: 1 }));
    expect(allocateUnits(available, lines)).toMatchObject({
      reason: 'SKU_NOT_FOUND',
      items: [{ sku: 'a' }, { sku: 'B' }],
    });
  });
});

describe('the answer to a reserve', () => {
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

  test('ensure it is the reservation that stands', () => {
    expect(requireReserved(reservation, lines)).toBe(reservation);
  });

  test.each([
    ['a refusal is told again', { state: 'REFUSED', refusal }, lines, { kind: 'REFUSED', refusal }],
    ['other lines are not reserved', {}, otherLines, { kind: 'RESERVATION_ID_REUSED', reservationId: 'id' }],
    [
      'other lines are not told the refusal of these',
      { state: 'REFUSED', refusal },
      otherLines,
      { kind: 'RESERVATION_ID_REUSED', reservationId: 'id' },
    ],
    [
      'what was released stays so',
      { state: 'RELEASED' },
      lines,
      { kind: 'RESERVATION_RELEASED', reservationId: 'id' },
    ],
    [
      'what was refused and then released stays so',
      { state: 'RELEASED', refusal },
      lines,
      { kind: 'RESERVATION_RELEASED', reservationId: 'id' },
    ],
    [
      'what was released before it was made stays so',
      { state: 'RELEASED', lines: [] },
      lines,
      { kind: 'RESERVATION_RELEASED', reservationId: 'id' },
    ],
  ] as const)('ensure %s', (_name, change, asked, problem) => {
    expect(problemOf(() => requireReserved({ ...reservation, ...change }, asked))).toEqual(problem);
  });
});

describe('checkCount', () => {
  const stock = { onHand: 10n, reserved: 4n };

  test.for([
    ['fewer than the books say', stock, 4n, 10n, undefined],
    ['as many as the books say', stock, 10n, 10n, undefined],
    ['as many as there may be', stock, 10n ** 12n, 10n, undefined],
    ['fewer than are reserved', stock, 3n, 10n, 'COUNT_BELOW_RESERVED'],
    ['fewer than none', stock, -1n, 10n, 'COUNT_OUT_OF_RANGE'],
    ['more than there may be', stock, 10n ** 12n + 1n, 10n, 'COUNT_OUT_OF_RANGE'],
    ['of an article that there is not', undefined, 5n, 0n, 'SKU_NOT_FOUND'],
  ] as const)('of %s', ([, before, counted, expected, refusal]) => {
    expect(checkCount(before, counted)).toEqual({ expected, refusal });
  });
});

test('ensure a SKU is what the contract lets an article have', () => {
  for (const sku of ['A', 'a b', 'ä', '💡'.repeat(64)]) expect(isSku(sku)).toBe(true);
  for (const sku of ['', 'a\0', 'a\n', '\u0085', 'x'.repeat(65)]) expect(isSku(sku)).toBe(false);
});
