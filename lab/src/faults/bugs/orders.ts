import type { PlantedBug } from './planted-bug.ts';

const settlements = 'services/orders/src/settling/settlement-store.ts';
const orders = 'services/orders/src/order/order-store.ts';

/** Defects of orders. */
export const bugsOfOrders: readonly PlantedBug[] = [
  {
    name: 'no-fingerprint',
    what: 'a request id that was used for another order is answered with that order',
    edits: [{ file: orders, replace: 'row.fingerprint.equals(order.fingerprint)', with: 'row.fingerprint' }],
    caughtBy: '2-after-t1',
    rounds: 10,
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
             INSERT INTO order_events (order_id, customer, version, state, event_time)
             SELECT id, customer_id, version, state, $2 FROM settled
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
        file: 'services/orders/src/inventory/inventory-client.ts',
        replace: `const unknown: ReserveOutcome = { kind: 'UNKNOWN', cause: error };`,
        with: `const unknown: ReserveOutcome = { kind: 'REFUSED', rejection: { reason: 'OUT_OF_STOCK', items: [] } };`,
      },
    ],
    caughtBy: '4-after-t2',
    rounds: 10,
  },
];
