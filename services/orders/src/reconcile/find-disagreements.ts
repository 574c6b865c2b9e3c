import {
  type ComparedOrder,
  type ComparedReservation,
  type Disagreement,
  disagreementOf,
} from './disagreement.ts';

/** UUIDs after `after`, up to `until`, which is included. */
export interface IdRange {
  readonly after: string;
  readonly until: string;
}

/** The first items of a range, by id. */
export interface ItemPage<Item> {
  readonly items: readonly Item[];
  /** Whether the range has items after the last one. */
  readonly hasMore: boolean;
}

export interface ComparedDatabases {
  orders(range: IdRange): Promise<ItemPage<ComparedOrder>>;
  reservations(range: IdRange): Promise<ItemPage<ComparedReservation>>;
}

export interface FindOptions {
  readonly databases: ComparedDatabases;
  /** Wall clock, in ms since the epoch. */
  readonly nowMs: () => number;
  readonly sleep: (durationMs: number) => Promise<unknown>;
}

/** The result for one range of ids. */
export interface Comparison {
  /** Number of ids of orders and reservations. */
  readonly compared: number;
  readonly disagreements: readonly Disagreement[];
  /** All reservations of the range, as the first look read them. */
  readonly reservations: readonly ComparedReservation[];
}

/** All UUIDs. */
export const allIds: IdRange = {
  after: '00000000-0000-0000-0000-000000000000',
  until: 'ffffffff-ffff-ffff-ffff-ffffffffffff',
};

/** Minimum time between two reads that both find a disagreement. */
const secondLookMs = 1000;
/** Age at which an order has been placed, in any case: several times the deadline of PlaceOrder. */
const placedMs = 10_000;

/**
 * Compares all orders with all reservations, range by range, beside running services. Yields the disagreements that two
 * reads find, the second one at least a second later and when their orders are 10 s old: an order that is being placed or
 * cancelled is none. Holds one page of each database in memory.
 */
export async function* findDisagreements(options: FindOptions): AsyncGenerator<Comparison> {
  const { databases, nowMs, sleep } = options;
  for (let { after, until } = allIds; after !== until; ) {
    const { newestMs, end, ...first } = await compare(databases, { after, until });
    let { disagreements } = first;
    if (disagreements.length > 0) {
      const untilPlacedMs = placedMs - (nowMs() - newestMs);
      await sleep(Math.min(placedMs, Math.max(secondLookMs, untilPlacedMs)));
      disagreements = await lookAgain(databases, { after, until: end }, disagreements);
    }
    yield { ...first, disagreements };
    after = end;
  }
}

interface RangeComparison extends Comparison {
  /** Last id that was compared. */
  readonly end: string;
  /** Creation time of the newest order or reservation that disagrees, in ms since the epoch. */
  readonly newestMs: number;
}

/** Compares the beginning of a range, as far as one page of each database reaches. */
async function compare(databases: ComparedDatabases, range: IdRange): Promise<RangeComparison> {
  // First, because an order is stored before its reservation.
  const reservations = await databases.reservations(range);
  const orders = await databases.orders(range);
  const end = [endOf(reservations, range), endOf(orders, range)].toSorted()[0] as string;
  const upToEnd = <Item extends { readonly id: string }>({ items }: ItemPage<Item>) =>
    new Map(items.filter(({ id }) => id <= end).map((item) => [item.id, item]));
  const ordersById = upToEnd(orders);
  const reservationsById = upToEnd(reservations);
  const ids = new Set([...ordersById.keys(), ...reservationsById.keys()]);
  let newestMs = 0;
  const disagreements = [...ids].toSorted().flatMap((id) => {
    const pair = [ordersById.get(id), reservationsById.get(id)] as const;
    const disagreement = disagreementOf(...pair);
    if (!disagreement) return [];
    newestMs = Math.max(newestMs, ...pair.map((each) => each?.createTime.getTime() ?? 0));
    return [disagreement];
  });
  const compared = { compared: ids.size, reservations: [...reservationsById.values()] };
  return { ...compared, disagreements, end, newestMs };
}

function endOf({ items, hasMore }: ItemPage<{ readonly id: string }>, { until }: IdRange): string {
  return hasMore ? (items.at(-1)?.id ?? until) : until;
}

/** Returns the disagreements that a second comparison of the range finds too, as it finds them. */
async function lookAgain(
  databases: ComparedDatabases,
  { after, until }: IdRange,
  found: readonly Disagreement[],
): Promise<Disagreement[]> {
  const kinds = new Map(found.map(({ id, kind }) => [id, kind]));
  const lasting: Disagreement[] = [];
  for (let from = after; from !== until; ) {
    const { disagreements, end } = await compare(databases, { after: from, until });
    lasting.push(...disagreements.filter(({ id, kind }) => kinds.get(id) === kind));
    from = end;
  }
  return lasting;
}
