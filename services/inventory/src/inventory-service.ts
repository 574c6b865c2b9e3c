import type { ImportStockRequest, InventoryService } from '@acme/gen/inventory/v1/inventory_service_pb';
import type { ServiceImplementation } from '@acme/rpc/call/handler';
import { type PageTokens, pageSizeOf } from '@acme/rpc/tokens/page-token';
import type { CountStore } from './count-store.ts';
import type { ImportStore, StockItem } from './import-store.ts';
import { reservationToProto } from './reservation-proto.ts';
import type { ReservationStore } from './reservation-store.ts';
import { createReserveStock } from './reserve-stock.ts';
import { InventoryError } from './stock.ts';
import { stockToProto } from './stock-proto.ts';
import type { StockStore } from './stock-store.ts';

export interface InventoryParts {
  readonly stock: StockStore;
  readonly reservations: ReservationStore;
  readonly imports: ImportStore;
  readonly counts: CountStore;
  readonly stockPages: PageTokens;
  readonly watchStock: ServiceImplementation<typeof InventoryService>['watchStock'];
}

/** The handlers: from the contract's messages to the domain, and back. */
export function createInventoryService(
  parts: InventoryParts,
): ServiceImplementation<typeof InventoryService> {
  const { stock, reservations, imports, counts, stockPages, watchStock } = parts;
  return {
    getStock: async ({ sku }, { signal }) => {
      const found = await stock.get(sku, signal);
      if (!found) throw new InventoryError({ kind: 'SKU_NOT_FOUND', sku });
      return { stock: stockToProto(found) };
    },
    listStock: async ({ pageSize, pageToken, skuPrefix }, { signal }) => {
      const limit = pageSizeOf(pageSize);
      const after = stockPages.decrypt([skuPrefix], pageToken) ?? '';
      const { items, hasMore } = await stock.list({ prefix: skuPrefix, after, limit }, signal);
      const last = items.at(-1);
      const nextPageToken = hasMore && last ? stockPages.encrypt([skuPrefix], last.sku) : '';
      return { stocks: items.map(stockToProto), nextPageToken };
    },
    ...createReserveStock(reservations),
    releaseStock: async ({ reservationId }) => ({
      reservation: reservationToProto(await reservations.release(reservationId.toLowerCase())),
    }),
    importStock: async (requests, { signal }) => {
      const { importId, itemCount, items } = await openImport(requests);
      return imports.run({ id: importId, itemCount }, items, signal);
    },
    watchStock,
    // The next count is read once there is room for the answer to this one.
    countStock: async function* (requests, { signal }) {
      for await (const { sku, counted } of requests) {
        const { expected, refusal } = await counts.apply({ sku, counted }, signal);
        const difference = refusal ? 0n : counted - expected;
        yield { sku, counted, expected, difference, errorReason: refusal ?? '' };
      }
    },
  };
}

/** The import's id and length from its first message, and the items of all of them. */
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

/** The items, of which there must be as many as the first message says: a cancelled stream can look like a whole one. */
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
