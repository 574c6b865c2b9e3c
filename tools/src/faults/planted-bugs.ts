import type { Edit } from './workspace-copy.ts';

/** A defect that the harness must catch: a checker that has never failed proves nothing. */
export interface PlantedBug {
  readonly name: string;
  /** What is wrong then. */
  readonly what: string;
  /** Made in a copy of the sources; each text must be there exactly once. */
  readonly edits: readonly Edit[];
  /** The row that catches it. */
  readonly caughtBy: string;
  /** How often that row is tried at the most; races need not come up the first time. */
  readonly rounds: number;
}

const reservations = 'services/inventory/src/reservation-store.ts';
const settlements = 'services/orders/src/settlement-store.ts';
const orders = 'services/orders/src/order-store.ts';
const serviceConfig = 'packages/rpc/src/client/service-config.ts';
const inventoryTables = 'services/inventory/migrations/0001_inventory.sql';

/** What a short run tries. */
export const bugsInShort = ['t3-without-guard', 'unknown-is-refused', 'cancel-without-release'];

/** "Stale resume token" is missing: no row has watchers yet. `watching-exactly-once.test.ts` holds the feeds to it. */
export const plantedBugs: readonly PlantedBug[] = [
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
    name: 'no-fingerprint',
    what: 'a request id that was used for another order is answered with that order',
    edits: [{ file: orders, replace: 'row.fingerprint.equals(order.fingerprint)', with: 'row.fingerprint' }],
    caughtBy: '2-after-t1',
    rounds: 10,
  },
  {
    name: 'retry-on-internal',
    what: 'calls are sent again after INTERNAL, which says nothing of the kind',
    edits: [
      { file: serviceConfig, replace: `Codes: ['UNAVAILABLE']`, with: `Codes: ['UNAVAILABLE', 'INTERNAL']` },
    ],
    caughtBy: 'broken-inventory',
    rounds: 2,
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
    name: 'lease-ignored',
    what: 'settlers take orders that another one has leased',
    edits: [
      {
        file: settlements,
        replace: 'WHERE settle_after <= now() AND settle_attempts < ',
        with: 'WHERE settle_after IS NOT NULL AND settle_attempts < ',
      },
    ],
    caughtBy: 'leases',
    rounds: 10,
  },
  {
    name: 't3-without-guard',
    what: 'what inventory said is written down whatever became of the order meanwhile',
    edits: [
      {
        file: settlements,
        replace: `WHERE orders.id = settlement.id AND orders.state = 'PENDING'`,
        with: 'WHERE orders.id = settlement.id',
      },
    ],
    caughtBy: '10-release-overtakes',
    rounds: 6,
  },
  {
    name: 'event-outside-transaction',
    what: 'the event of T3 is written after it, in a transaction of its own',
    edits: [
      {
        file: settlements,
        replace: `), event AS (
             INSERT INTO order_events (order_id, version, state, event_time)
             SELECT id, version, state, $2 FROM settled
           )
           SELECT * FROM settled`,
        with: ') SELECT * FROM settled',
      },
      {
        file: settlements,
        replace: 'const settled = new Map(rows.map((row) => [row.id, fromRow(row)]));',
        with: `for (const row of rows) await pool.query('INSERT INTO order_events (order_id, version, state, event_time) VALUES ($1, $2, $3, $4)', [row.id, row.version, row.state, now]);
  const settled = new Map(rows.map((row) => [row.id, fromRow(row)]));`,
      },
    ],
    caughtBy: '6-inside-t3',
    rounds: 10,
  },
  {
    name: 'batch-swallows-failure',
    what: 'orders are acknowledged although their batch failed',
    edits: [
      {
        file: orders,
        replace: 'run: (orders) => placeAll(pool, orders, now(), settleGraceMs),',
        with: 'run: (orders) => placeAll(pool, orders, now(), settleGraceMs).catch(() => orders.map((order) => pendingOrder(order, now()))),',
      },
    ],
    caughtBy: '9-commit-lost-orders',
    rounds: 9,
  },
  {
    name: 'cancel-without-release',
    what: 'a cancelled order keeps its stock',
    edits: [
      {
        file: orders,
        replace: 'update_time = $2, settle_after = now(), settle_attempts = 0',
        with: 'update_time = $2, settle_after = NULL, settle_attempts = 0',
      },
    ],
    caughtBy: '1-before-t1',
    rounds: 10,
  },
  {
    name: 'unknown-is-refused',
    what: 'an inventory that does not answer is taken for one that has too little stock',
    edits: [
      {
        file: 'services/orders/src/inventory-client.ts',
        replace: `    default:
      return { kind: 'UNKNOWN', cause: error };`,
        with: `    default:
      return { kind: 'REFUSED', rejection: { reason: 'OUT_OF_STOCK', items: [] } };`,
      },
    ],
    caughtBy: '4-after-t2',
    rounds: 10,
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
];
