import { InventoryService } from '@acme/gen/inventory/v1/inventory_service_pb';
import type { Stock } from '@acme/gen/inventory/v1/stock_pb';
import { timestampMs } from '@bufbuild/protobuf/wkt';
import { signal } from '@preact/signals';
import { batched } from './frame.ts';
import { live } from './live.ts';
import { clientOf } from './session.ts';
import { activityAt, type KnownStock, rankRows } from './stock-rows.ts';
import { whileVisible } from './visibility.ts';
import { keepWatching, type WatchState } from './watch.ts';

/** Number of items that the page keeps; further ones of a larger catalogue are ignored until they change. */
const maxItems = 5000;
const pageSize = 200;
/** Number of items that are shown. */
const shown = 12;
const flushMs = 200;
const rankMs = 5000;

const items = new Map<string, KnownStock>();
export const stockState = signal<WatchState>('connecting');
/** The busiest items. Each keeps its row until a much busier one takes it. */
export const busiest = signal<readonly KnownStock[]>([]);

let rows: readonly string[] = [];
let rankedMs = Number.NEGATIVE_INFINITY;

const flush = batched(() => {
  const nowMs = Date.now();
  const load = live.value?.load;
  const first = load?.hotItem ? load.hotSku : undefined;
  if (rows.length < shown || nowMs - rankedMs > rankMs || (first !== undefined && rows[0] !== first)) {
    rows = rankRows(rows, items, { count: shown, first, nowMs });
    rankedMs = nowMs;
  }
  busiest.value = rows.flatMap((sku) => items.get(sku) ?? []);
}, flushMs);

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
