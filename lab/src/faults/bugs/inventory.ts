import type { PlantedBug } from './planted-bug.ts';

const reserveIfEnough = 'services/inventory/src/stock/reserve-if-enough.ts';
const releases = 'services/inventory/src/stock/release-store.ts';
const units = 'services/inventory/src/stock/reserved-units.ts';
const inventoryTables = 'services/inventory/migrations/0001_inventory.sql';

/** Bugs in inventory. */
export const bugsOfInventory: readonly PlantedBug[] = [
  {
    name: 'no-row-lock',
    what: 'stock is read without a row lock, and no constraint prevents overselling',
    edits: [
      {
        file: units,
        replace: 'ORDER BY sku FOR NO KEY UPDATE',
        with: '',
      },
      {
        file: inventoryTables,
        replace: 'CHECK (reserved <= on_hand)',
        with: 'CHECK (true)',
      },
    ],
    caughtBy: 'last-unit',
    rounds: 100,
  },
  {
    name: 'no-tombstone',
    what: 'a release before its reserve inserts no tombstone',
    edits: [
      {
        file: releases,
        replace: `VALUES ($1, 'RELEASED', '[]', $2, $2)`,
        with: `SELECT $1::uuid, 'RELEASED', '[]'::jsonb, $2::timestamptz, $2 WHERE false`,
      },
      {
        file: releases,
        replace: 'if (rows[0]) return fromRow(rows[0]);',
        with: `return rows[0] ? fromRow(rows[0]) : { id, state: 'RELEASED', lines: [], refusal: undefined, createTime: now };`,
      },
    ],
    caughtBy: '10-release-overtakes',
    rounds: 6,
  },
  {
    name: 'reserve-twice',
    what: 'a repeated reserve takes the stock again',
    edits: [
      {
        file: reserveIfEnough,
        replace: 'FROM claimed, jsonb_to_recordset(lines)',
        with: 'FROM jsonb_to_recordset($1) AS command (lines jsonb), jsonb_to_recordset(lines)',
      },
    ],
    caughtBy: '4-after-t2',
    rounds: 10,
  },
  {
    name: 'release-twice',
    what: 'a repeated release returns the stock again',
    edits: [
      {
        file: releases,
        replace: `before.state === 'RESERVED'`,
        with: `before.state !== 'REFUSED'`,
      },
      {
        file: inventoryTables,
        replace: 'CHECK (reserved >= 0)',
        with: '',
      },
    ],
    caughtBy: '8-settler',
    rounds: 9,
  },
  {
    name: 'answers-mixed-up',
    what: 'the results of a batch are in another order than its requests',
    edits: [
      {
        file: 'services/inventory/src/reserve-service.ts',
        replace: 'outcomes.map(',
        with: 'outcomes.toReversed().map(',
      },
    ],
    caughtBy: 'last-unit',
    rounds: 20,
  },
];
