import type { PlantedBug } from './planted-bug.ts';

const settlements = 'services/orders/src/settling/settlement-store.ts';
const placements = 'services/orders/src/order/placement-store.ts';
const cancellations = 'services/orders/src/order/cancellation-store.ts';

/** Bugs in orders. */
export const bugsOfOrders: readonly PlantedBug[] = [
  {
    name: 't3-without-guard',
    what: 'T3 overwrites the state of an order that changed meanwhile',
    edits: [{ file: settlements, replace: `AND orders.state = 'PENDING'`, with: '' }],
    caughtBy: '10-release-overtakes',
    rounds: 6,
  },
  {
    name: 'event-outside-transaction',
    what: 'the event of T3 is written after it, in a separate transaction',
    edits: [
      {
        file: settlements,
        replace: 'version, state, $2 FROM settled',
        with: 'version, state, $2 FROM settled WHERE false',
      },
      {
        file: settlements,
        replace: 'const settled =',
        with: `for (const row of rows) await pool.query('INSERT INTO order_events (order_id, version, state, event_time) VALUES ($1, $2, $3, $4)', [row.id, row.version, row.state, now]);
  const settled =`,
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
        file: placements,
        replace: 'placeAll(pool, orders, now(), settleGraceMs)',
        with: 'placeAll(pool, orders, now(), settleGraceMs).catch(() => orders.map((order) => pendingOrder(order, now())))',
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
        file: cancellations,
        replace: 'settle_after = now(), settle_attempts = 0',
        with: 'settle_after = NULL, settle_attempts = 0',
      },
    ],
    caughtBy: '1-before-t1',
    rounds: 10,
  },
  {
    name: 'unknown-is-rejected',
    what: 'an unknown outcome of a reserve is treated as out of stock',
    edits: [
      {
        file: 'services/orders/src/steps/stock-step.ts',
        replace: `{ kind: 'UNKNOWN', cause: error }`,
        with: `{ kind: 'REFUSED', rejection: { reason: 'OUT_OF_STOCK', items: [] } }`,
      },
    ],
    caughtBy: '4-after-t2',
    rounds: 10,
  },
];
