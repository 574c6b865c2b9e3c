import { setTimeout as sleep } from 'node:timers/promises';
import { countOrders } from '@acme/lab/demo/scoreboard';
import type { OpenDatabases } from '@acme/lab/harness/check-databases';
import {
  type Acknowledgement,
  acknowledgementErrors,
  type Databases,
  lostOrders,
  settledErrors,
  stockErrors,
} from '@acme/lab/harness/invariants';
import { withTimeout } from '@acme/lab/harness/with-timeout';
import type { Books, OrderCounts } from '../../api.ts';
import { createAcknowledgements } from './acknowledgements.ts';
import { startPacedCheck } from './paced-check.ts';
import { placedAtMs, placedBetween } from './placed-between.ts';

/** Checks the databases against the invariants while orders are placed. Memory and work do not grow with their number. */
export interface BookKeeper extends AsyncDisposable {
  readonly books: Books;
  /** Adds an order that was acknowledged to a customer. */
  acknowledge(acknowledgement: Acknowledgement): void;
}

const maxShown = 10;
/** Violations that are counted. */
const maxViolations = 1000;

/** Time that the end waits for the checks in progress. */
const stopMs = 2000;

/** Pause between two reads of the databases, which are not read at the same instant: a violation is in both. */
const rereadMs = 1000;
/** An order is checked this long after it was placed, */
const restMs = 5000;
/** or when it is settled, up to this time after it was placed. */
const maxUnsettledMs = 10 * 60_000;

const noOrders: OrderCounts = { pending: 0, confirmed: 0, rejected: 0, cancelled: 0 };

/** The books before the services run. */
export const noBooks: Books = {
  acknowledged: 0,
  lost: 0,
  oversold: 0,
  unsettled: 0,
  wrong: 0,
  problems: [],
  checkedAtMs: null,
  cannotCheck: null,
  orders: noOrders,
};

/**
 * @param open Opens a connection to each database.
 * @param onChange Called when the books have changed.
 */
export function openBooks(open: () => OpenDatabases, onChange: () => void): BookKeeper {
  const opened = new AsyncDisposableStack();
  const acknowledgements = createAcknowledgements();
  const lost = new Set<string>();
  const oversold = new Map<string, string>();
  const wrong = new Set<string>();
  const settled = createSettledCheck();
  let counts = noOrders;
  let unsettled = 0;

  const start = (check: (databases: Databases) => Promise<void>) => {
    // Of its own, so that a long check delays no other one.
    const databases = opened.use(open());
    return opened.use(startPacedCheck(() => check(databases), onChange));
  };
  const checks = [
    start(async (databases) => {
      unsettled = (await readUnsettled(databases)).count;
    }),
    start(async (databases) => {
      const { PENDING, CONFIRMED, REJECTED, CANCELLED } = await countOrders(databases);
      counts = { pending: PENDING, confirmed: CONFIRMED, rejected: REJECTED, cancelled: CANCELLED };
    }),
    start(async (databases) => {
      const next = acknowledgements.next();
      for (const line of await lostOrders(databases, next)) addTo(lost, line);
      for (const line of await acknowledgementErrors(databases, next)) addTo(wrong, line);
      acknowledgements.checked(next);
    }),
    start(async (databases) => {
      for (const line of await stockErrors(databases)) {
        const sku = line.slice(0, line.indexOf(':'));
        if (oversold.size < maxViolations) oversold.set(sku, line);
      }
    }),
    start(async (databases) => {
      for (const line of await settled(databases)) addTo(wrong, line);
    }),
  ];
  return {
    get books() {
      const checkedAtMs = checks.map((each) => each.checkedAtMs);
      return {
        acknowledged: acknowledgements.count,
        lost: lost.size,
        oversold: oversold.size,
        unsettled,
        wrong: wrong.size,
        problems: [...lost, ...oversold.values(), ...wrong].slice(0, maxShown),
        // The books are as old as the oldest of their checks.
        checkedAtMs: checkedAtMs.includes(undefined) ? null : Math.min(...checkedAtMs.map(Number)),
        cannotCheck: checks.map(({ failure }) => failure).find((failure) => failure !== undefined) ?? null,
        orders: counts,
      };
    },
    acknowledge: (acknowledgement) => acknowledgements.add(acknowledgement),
    // A check that takes longer ends with its connection.
    [Symbol.asyncDispose]: () =>
      withTimeout(stopMs, 'the end of the checks', opened.disposeAsync()).catch(() => {}),
  };
}

function addTo(violations: Set<string>, line: string): void {
  if (violations.size < maxViolations) violations.add(line);
}

async function readUnsettled({
  ordersDatabase,
}: Databases): Promise<{ readonly count: number; readonly oldest: string | null }> {
  // As text, because a sort by the id itself reads the primary key up to the first unsettled order.
  const { rows } = await ordersDatabase.query<{ count: bigint; oldest: string | null }>(
    'SELECT count(*), min(id::text) AS oldest FROM orders WHERE settle_after IS NOT NULL',
  );
  return { count: Number(rows[0]?.count ?? 0), oldest: rows[0]?.oldest ?? null };
}

/**
 * Returns a check of the orders that were placed since it was created, each when it is settled. It returns the violations, a
 * line each.
 */
function createSettledCheck(): (databases: Databases) => Promise<string[]> {
  let fromMs = Date.now();
  return async (databases) => {
    const nowMs = Date.now();
    const { oldest } = await readUnsettled(databases);
    const ids = placedBetween(fromMs, nowMs - restMs);
    const errors = await settledErrors(databases, ids);
    if (errors.length > 0) await sleep(rereadMs);
    const again = new Set(errors.length > 0 ? await settledErrors(databases, ids) : []);
    const settledUntilMs = Math.min(oldest === null ? Infinity : placedAtMs(oldest), nowMs - restMs);
    fromMs = Math.max(fromMs, settledUntilMs, nowMs - maxUnsettledMs);
    return errors.filter((error) => again.has(error));
  };
}
