import type { PlantedBug } from './planted-bug.ts';

const reservations = 'services/inventory/src/stock/reservation-store.ts';
const inventoryTables = 'services/inventory/migrations/0001_inventory.sql';

/** Defects of inventory. */
export const bugsOfInventory: readonly PlantedBug[] = [
  {
    name: 'no-row-lock',
    what: 'stock is read without a lock, and no constraint stands behind it',
    edits: [
      {
        file: reservations,
        replace: 'WHERE sku = ANY ($1) ORDER BY sku FOR NO KEY UPDATE',
        with: 'WHERE sku = ANY ($1)',
      },
      {
        file: inventoryTables,
        replace: 'CONSTRAINT stock_not_oversold CHECK (reserved <= on_hand)',
        with: 'CONSTRAINT stock_not_oversold CHECK (true)',
      },
    ],
    caughtBy: 'last-unit',
    rounds: 100,
  },
  {
    name: 'no-tombstone',
    what: 'a release that comes before its reserve leaves nothing behind to refuse it',
    edits: [
      {
        file: reservations,
        replace: `VALUES ($1, 'RELEASED', '[]', $2, $2)`,
        with: `SELECT $1::uuid, 'RELEASED', '[]'::jsonb, $2::timestamptz, $2 WHERE false`,
      },
      {
        file: reservations,
        replace: 'return fromRow(rows[0] as ReservationRow);',
        with: `return rows[0] ? fromRow(rows[0]) : { id, state: 'RELEASED', lines: [], refusal: undefined, createTime: now };`,
      },
    ],
    caughtBy: '10-release-overtakes',
    rounds: 6,
  },
  {
    name: 'reserve-twice',
    what: 'a reserve that is repeated takes the stock once more',
    edits: [
      {
        file: reservations,
        replace: '[...byId.values()].filter(({ id }) => claimed.has(id)),',
        with: '[...byId.values()],',
      },
    ],
    caughtBy: '4-after-t2',
    rounds: 10,
  },
  {
    name: 'release-twice',
    what: 'a release that is repeated gives the stock back once more',
    edits: [
      {
        file: reservations,
        replace: `if (before.state === 'RESERVED') {`,
        with: `if (before.state !== 'REFUSED') {`,
      },
      {
        file: inventoryTables,
        replace: 'reserved bigint NOT NULL DEFAULT 0 CHECK (reserved >= 0)',
        with: 'reserved bigint NOT NULL DEFAULT 0',
      },
    ],
    caughtBy: '8-settler',
    rounds: 9,
  },
  {
    name: 'answers-mixed-up',
    what: 'the orders of a batch are answered in another order than they asked in',
    edits: [
      {
        file: 'services/inventory/src/reserve-stock.ts',
        replace: 'results: outcomes.map(resultOf)',
        with: 'results: outcomes.toReversed().map(resultOf)',
      },
    ],
    caughtBy: 'last-unit',
    rounds: 20,
  },
];
