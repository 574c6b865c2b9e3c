import {
  type ImportStockRequest,
  type InventoryService,
  WatchStockResponseSchema,
} from '@acme/gen/inventory/v1/inventory_service_pb';
import { createWatchHandler } from '@acme/postgres/feed';
import type { ServiceImplementation } from '@acme/rpc/server';
import { type PageTokens, pageSizeOf, type ResumeTokens } from '@acme/rpc/tokens';
import { createReserveHandlers } from './reserve-service.ts';
import type { CountStore } from './stock/count-store.ts';
import type { ImportStore, StockItem } from './stock/import-store.ts';
import type { ReleaseStore } from './stock/release-store.ts';
import type { ReservationList } from './stock/reservation-list.ts';
import type { ReservationStore } from './stock/reservation-store.ts';
import { InventoryError } from './stock/stock.ts';
import type { StockFeed } from './stock/stock-feed.ts';
import type { StockStore } from './stock/stock-store.ts';
import { reservationToProto, stockToProto } from './stock-proto.ts';

export interface InventoryServiceDependencies {
  readonly stock: StockStore;
  readonly reservations: ReservationStore;
  readonly releases: ReleaseStore;
  readonly reservationList: ReservationList;
  readonly imports: ImportStore;
  readonly counts: CountStore;
  readonly feed: StockFeed;
  readonly pageTokens: PageTokens;
  /** Page tokens of ListReservations. */
  readonly reservationPageTokens: PageTokens;
  readonly resumeTokens: ResumeTokens;
}

/** Maximum number of reservations in a page: more than of other lists, because a comparison reads all of them. */
const maxReservations = 1000;
/** The lowest and the greatest UUID. */
const minId = '00000000-0000-0000-0000-000000000000';
const maxId = 'ffffffff-ffff-ffff-ffff-ffffffffffff';

/** Returns the handlers: they map messages to the domain, and its results back to messages. */
export function createInventoryService(
  dependencies: InventoryServiceDependencies,
): ServiceImplementation<typeof InventoryService> {
  const { stock, reservations, releases, imports, counts, feed, pageTokens, resumeTokens } = dependencies;
  const { reservationList, reservationPageTokens } = dependencies;
  const handleWatch = createWatchHandler({
    feed,
    tokens: resumeTokens,
    response: WatchStockResponseSchema,
    toResponse: (stock, resumeToken) => ({ resumeToken, ...(stock && { stock: stockToProto(stock) }) }),
  });
  return {
    getStock: async ({ sku }, { signal }) => {
      const found = await stock.get(sku, signal);
      if (!found) throw new InventoryError({ kind: 'SKU_NOT_FOUND', sku });
      return { stock: stockToProto(found) };
    },
    listStock: async ({ pageSize, pageToken, skuPrefix }, { signal }) => {
      const limit = pageSizeOf(pageSize);
      const after = pageTokens.decrypt([skuPrefix], pageToken) ?? '';
      const { items, hasMore } = await stock.list({ prefix: skuPrefix, after, limit }, signal);
      const last = items.at(-1);
      const nextPageToken = hasMore && last ? pageTokens.encrypt([skuPrefix], last.sku) : '';
      return { stocks: items.map(stockToProto), nextPageToken };
    },
    ...createReserveHandlers(reservations),
    releaseStock: async ({ reservationId }) => ({
      reservation: reservationToProto(await releases.release(reservationId.toLowerCase())),
    }),
    listReservations: async ({ pageSize, pageToken, afterId, untilId }, { signal }) => {
      const limit = Math.min(pageSize || 50, maxReservations);
      const filters = [afterId, untilId];
      const after = reservationPageTokens.decrypt(filters, pageToken) ?? (afterId || minId);
      const { items, hasMore } = await reservationList.list(
        { after, until: untilId || maxId, limit },
        signal,
      );
      const last = items.at(-1);
      const nextPageToken = hasMore && last ? reservationPageTokens.encrypt(filters, last.id) : '';
      return { reservations: items.map(reservationToProto), nextPageToken };
    },
    importStock: async (requests, { signal }) => {
      const { importId, itemCount, items } = await openImport(requests);
      return imports.run({ id: importId, itemCount }, items, signal);
    },
    watchStock: ({ resumeToken, skus }, context) => {
      // A sorted set, so that neither order nor repetition of SKUs changes which resume tokens are valid.
      const keys = new Set(skus.toSorted());
      return handleWatch(
        { keys: keys.size > 0 ? keys : undefined, filters: [...keys], resumeToken },
        context,
      );
    },
    // The generator reads the next count when the response to this one has been taken: backpressure.
    countStock: async function* (requests, { signal }) {
      for await (const { sku, counted } of requests) {
        const { expected, errorReason = '' } = await counts.apply({ sku, counted }, signal);
        const difference = errorReason ? 0n : counted - expected;
        yield { sku, counted, expected, difference, errorReason };
      }
    },
  };
}

/** Reads the import's id and number of rows from the first message. `items` yields the items of all messages. */
async function openImport(
  requests: AsyncIterable<ImportStockRequest>,
): Promise<{ importId: string; itemCount: bigint; items: AsyncIterable<StockItem> }> {
  const iterator = requests[Symbol.asyncIterator]();
  const first = await iterator.next();
  if (first.done || first.value.importId === '')
    throw new InventoryError({
      kind: 'BAD_REQUEST',
      violations: [{ field: 'requests[0].import_id', description: 'must be a UUID, in the first message' }],
    });
  const { importId, itemCount } = first.value;
  return { importId: importId.toLowerCase(), itemCount, items: itemsOf(first.value, iterator) };
}

/** Yields the items. Throws IMPORT_INCOMPLETE for another number than announced: a cancelled stream can look complete. */
async function* itemsOf(
  first: ImportStockRequest,
  rest: AsyncIterator<ImportStockRequest>,
): AsyncGenerator<StockItem> {
  let received = 0n;
  for (let request = first, done: boolean | undefined = false; !done; ) {
    if (request.item) yield request.item;
    received += 1n;
    ({ value: request, done } = await rest.next());
  }
  if (first.itemCount !== 0n && received !== first.itemCount)
    throw new InventoryError({ kind: 'IMPORT_INCOMPLETE', received, expected: first.itemCount });
}
