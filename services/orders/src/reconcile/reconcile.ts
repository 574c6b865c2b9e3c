import type { Disagreement } from './disagreement.ts';
import { allIds, type ComparedDatabases, type FindOptions, findDisagreements } from './find-disagreements.ts';
import type { Mend } from './mend.ts';
import type { ReservedUnits } from './reserved-units.ts';

export interface ReconcileOptions extends FindOptions {
  readonly readReservedUnits: () => Promise<ReservedUnits>;
  readonly eventDifferences: () => AsyncIterable<string>;
  /** Undefined to report only. */
  readonly mend: Mend | undefined;
  /** Called with each line of the report. */
  readonly print: (line: string) => void;
}

/** Number of reservations that are released at a time, so that customers' calls come first. */
const releasedTogether = 8;

/**
 * Compares the orders with inventory's reservations, reports each disagreement, and mends it if `mend` is set. Also reports
 * what does not agree within one of the databases, which no mend repairs. It may be interrupted at any time and repeated.
 *
 * @returns the number of disagreements that are left.
 * @throws Error before it mends with a database without orders, which is probably another one: all stock would be released.
 */
export async function reconcile(options: ReconcileOptions): Promise<number> {
  const { mend, print, readReservedUnits, eventDifferences, ...rest } = options;
  let compared = 0;
  let found = 0;
  let left = 0;
  const handle = async (disagreement: Disagreement) => {
    const mending = await mend?.(disagreement);
    if (!mending?.isMended) left += 1;
    print(`${textOf(disagreement)}: ${mending?.text ?? remedies[disagreement.kind]}`);
  };
  if (mend) await requireOrders(rest.databases);
  const units = await readReservedUnits();
  for await (const comparison of findDisagreements(rest)) {
    compared += comparison.compared;
    found += comparison.disagreements.length;
    units.add(comparison.reservations);
    // Releases first, because other orders may need their units.
    await releaseAll(comparison.disagreements.filter(isRelease), handle);
    // In turn: two orders that look at the same units would both find them, and a refused reserve is final.
    for (const each of comparison.disagreements) if (!isRelease(each)) await handle(each);
  }
  const { differences, changed } = await units.compare();
  for (const lines of [differences, eventDifferences()])
    for await (const line of lines) {
      found += 1;
      left += 1;
      print(`${line}: restore this database from another backup`);
    }
  const counts = mend ? `${found} disagreed, ${found - left} mended, ${left} left` : `${found} disagree`;
  const skipped = changed > 0 ? `; ${changed} items changed meanwhile` : '';
  print(`${compared} orders and reservations compared: ${counts}${skipped}`);
  return left;
}

async function requireOrders(databases: ComparedDatabases): Promise<void> {
  const orders = await databases.orders(allIds);
  if (orders.items.length > 0) return;
  const reservations = await databases.reservations(allIds);
  if (reservations.items.length > 0)
    throw new Error(
      'DATABASE_URL leads to a database without orders, and a mend would release all reservations: correct it, or restore orders',
    );
}

async function releaseAll(
  disagreements: readonly Disagreement[],
  handle: (disagreement: Disagreement) => Promise<void>,
): Promise<void> {
  const waiting = disagreements[Symbol.iterator]();
  const work = async () => {
    for (const disagreement of waiting) await handle(disagreement);
  };
  await Promise.all(Array.from({ length: releasedTogether }, work));
}

function isRelease({ kind }: Disagreement): boolean {
  return kind === 'ORDER_MISSING' || kind === 'ORDER_CLOSED';
}

/** The effect of `--mend`. */
const remedies: Readonly<Record<Disagreement['kind'], string>> = {
  ORDER_MISSING: '--mend releases it',
  ORDER_CLOSED: '--mend releases it',
  RESERVATION_MISSING: '--mend reserves again, if there is enough stock',
  RESERVATION_RELEASED: '--mend cancels the order, because its cancel was lost',
  RESERVATION_REFUSED: 'cancel the order',
  RESERVATION_DIFFERS: 'cancel the order',
};

function textOf(disagreement: Disagreement): string {
  if (disagreement.kind === 'ORDER_MISSING') return `reservation ${disagreement.id} is live and has no order`;
  const { kind, id, order } = disagreement;
  switch (kind) {
    case 'ORDER_CLOSED':
      return `order ${id} is ${order.state} and its reservation is live`;
    case 'RESERVATION_MISSING':
      return `order ${id} is CONFIRMED and has no reservation`;
    case 'RESERVATION_RELEASED':
      return `order ${id} is CONFIRMED and its reservation is released`;
    case 'RESERVATION_REFUSED':
      return `order ${id} is CONFIRMED and its reservation was refused`;
    case 'RESERVATION_DIFFERS':
      return `order ${id} is CONFIRMED and its reservation has other lines`;
  }
}
