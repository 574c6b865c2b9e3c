import { InventoryService } from '@acme/gen/inventory/v1/inventory_service_pb';
import type { Stock } from '@acme/gen/inventory/v1/stock_pb';
import { timestampMs } from '@bufbuild/protobuf/wkt';
import { signal } from '@preact/signals';
import { batched } from './frame.ts';
import { live } from './live.ts';
import { clientOf } from './session.ts';
import { whileVisible } from './visibility.ts';
import { keepWatching, type WatchState } from './watch.ts';

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

/** Number of items that the page keeps; further ones of a larger catalogue are ignored until they change. */
const maxItems = 5000;
const pageSize = 200;
/** Number of items that are shown. */
const shown = 12;
const flushMs = 200;
const rankMs = 5000;
/** An item leaves its row for one that is this much busier. */
const lead = 1.5;
const halfLifeMs = 10_000;

const items = new Map<string, KnownStock>();
export const stockState = signal<WatchState>('connecting');
/** The busiest items. Each keeps its row until a much busier one takes it. */
export const busiest = signal<readonly KnownStock[]>([]);

let rows: readonly string[] = [];
let rankedMs = Number.NEGATIVE_INFINITY;

const flush = batched(() => {
  const nowMs = Date.now();
  if (rows.length < shown || nowMs - rankedMs > rankMs || rows[0] !== pinned()) {
    rows = rank(nowMs);
    rankedMs = nowMs;
  }
  busiest.value = rows.flatMap((sku) => items.get(sku) ?? []);
}, flushMs);

/** The hot item has the first row while every order asks for it. */
function pinned(): string | undefined {
  const load = live.value?.load;
  return load?.hotItem && items.has(load.hotSku) ? load.hotSku : rows[0];
}

/** Returns the SKUs of the rows: those of before, but for the ones that a much busier item replaces. */
function rank(nowMs: number): readonly string[] {
  const activityOf = (sku: string) => activityAt(items.get(sku), nowMs);
  const byActivity = [...items.keys()].toSorted((a, b) => activityOf(b) - activityOf(a) || (a < b ? -1 : 1));
  const first = pinned();
  const next = [...rows];
  for (const sku of byActivity.slice(0, shown)) {
    if (next.includes(sku)) continue;
    const least = next.toSorted((a, b) => activityOf(a) - activityOf(b))[0];
    if (next.length < shown) next.push(sku);
    else if (least !== undefined && activityOf(sku) > activityOf(least) * lead)
      next[next.indexOf(least)] = sku;
  }
  if (first === undefined || next[0] === first) return next;
  return [first, ...next.filter((sku) => sku !== first)].slice(0, shown);
}

function activityAt(stock: KnownStock | undefined, nowMs: number): number {
  return stock ? stock.activity * 2 ** ((stock.updatedAtMs - nowMs) / halfLifeMs) : 0;
}

function take(stock: Stock, isChange: boolean): void {
  const known = items.get(stock.sku);
  const updatedAtMs = stock.updateTime ? timestampMs(stock.updateTime) : 0;
  if (known ? updatedAtMs < known.updatedAtMs : items.size >= maxItems) return;
  items.set(stock.sku, {
    sku: stock.sku,
    title: stock.title,
    onHand: Number(stock.onHand),
    reserved: Number(stock.reserved),
    available: Number(stock.available),
    updatedAtMs,
    activity: activityAt(known, updatedAtMs) + (isChange ? 1 : 0),
  });
  flush();
}

/** Returns items that an order can ask for. */
export function itemsInStock(): readonly KnownStock[] {
  return [...items.values()].filter(({ available }) => available > 10);
}

const inventory = () => clientOf('inventory', InventoryService);

async function list(signal: AbortSignal): Promise<void> {
  for (let pageToken = ''; items.size < maxItems; ) {
    const page = await inventory().listStock({ pageToken, pageSize }, { signal });
    for (const stock of page.stocks) take(stock, false);
    pageToken = page.nextPageToken;
    if (pageToken === '') return;
  }
}

whileVisible((hidden) => {
  keepWatching(
    {
      service: 'inventory',
      state: stockState,
      open: (resumeToken, signal) => inventory().watchStock({ resumeToken }, { signal }),
      list,
      take: ({ stock }) => {
        if (stock) take(stock, true);
      },
    },
    hidden,
  );
});
