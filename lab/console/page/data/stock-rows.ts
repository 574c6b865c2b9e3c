/** The stock of one item, in units. */
export interface KnownStock {
  readonly sku: string;
  readonly title: string;
  readonly onHand: number;
  readonly reserved: number;
  readonly available: number;
  readonly updatedAtMs: number;
  /** Recent changes: each counts one, and half of it after ten seconds. */
  readonly activity: number;
}

/** An item leaves its row for one that is this much busier. */
const lead = 1.5;
const halfLifeMs = 10_000;

export interface Ranking {
  /** Number of rows. */
  readonly count: number;
  /** SKU of the item in the first row, whatever its activity. */
  readonly first: string | undefined;
  readonly nowMs: number;
}

/** Returns the activity of an item now; 0 for an unknown one. */
export function activityAt(stock: KnownStock | undefined, nowMs: number): number {
  return stock ? stock.activity * 2 ** ((stock.updatedAtMs - nowMs) / halfLifeMs) : 0;
}

/** Returns the SKUs of the rows: those of before in their places, but for the ones that a much busier item replaces. */
export function rankRows(
  rows: readonly string[],
  items: ReadonlyMap<string, KnownStock>,
  { count, first, nowMs }: Ranking,
): readonly string[] {
  const activityOf = (sku: string) => activityAt(items.get(sku), nowMs);
  const byActivity = [...items.keys()].toSorted((a, b) => activityOf(b) - activityOf(a) || (a < b ? -1 : 1));
  const next = [...rows];
  for (const sku of byActivity.slice(0, count)) {
    if (next.includes(sku)) continue;
    const [least] = next.toSorted((a, b) => activityOf(a) - activityOf(b));
    if (next.length < count) next.push(sku);
    else if (least !== undefined && activityOf(sku) > activityOf(least) * lead)
      next[next.indexOf(least)] = sku;
  }
  if (first === undefined || !items.has(first)) return next;
  return [first, ...next.filter((sku) => sku !== first)].slice(0, count);
}
