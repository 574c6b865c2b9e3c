import {
  BatchReserveStockRequestSchema,
  BatchReserveStockResponseSchema,
  type InventoryService,
  ReserveStockRequestSchema,
  ReserveStockResponseSchema,
} from '@acme/gen/inventory/v1/inventory_service_pb';
import { toStatus } from '@acme/inventory/error-map';
import { createReserveHandlers } from '@acme/inventory/reserve-service';
import type { Client } from '@acme/rpc/client';
import { toRpcError } from '@acme/rpc/errors';
import type { ServiceImplementation } from '@acme/rpc/server';
import { create } from '@bufbuild/protobuf';
import type { Network, Process } from './network.ts';
import type { StockData } from './stock-data.ts';

/** A cell of inventory: its only process and its database. */
export interface StockCell {
  readonly process: Process;
  readonly data: StockData;
}

type Handlers = ReturnType<typeof createReserveHandlers>;
type Context = Parameters<ServiceImplementation<typeof InventoryService>['reserveStock']>[1];

/** Of the context of a call, the handlers use the logger alone, for failures that the network makes here. */
const context = { log: { error: () => {} } } as unknown as Context;
/** Deadline of ReleaseStock. */
const releaseDeadlineMs = 2000;

/** Returns a client of a cell for a process of orders. The cell serves it with the handlers of inventory. */
export function createStockClient(
  network: Network,
  from: Process,
  { process: to, data }: StockCell,
): Client<typeof InventoryService> {
  const handlers: Handlers = createReserveHandlers({
    reserve: (command) => network.transaction(to, () => data.reserve(command)),
  });
  const serve = async <T>(handle: () => Promise<T>): Promise<T> => {
    try {
      return await handle();
    } catch (error) {
      throw toRpcError(error, toStatus);
    }
  };
  const calls: Pick<
    Client<typeof InventoryService>,
    'reserveStock' | 'batchReserveStock' | 'releaseStock'
  > = {
    reserveStock: (request, { deadlineMs = 0 } = {}) => {
      const message = create(ReserveStockRequestSchema, request);
      const handle = async () =>
        create(ReserveStockResponseSchema, await handlers.reserveStock(message, context));
      return network.call({ from, to, deadlineMs, serve: () => serve(handle) });
    },
    batchReserveStock: (request, { deadlineMs = 0 } = {}) => {
      const message = create(BatchReserveStockRequestSchema, request);
      const handle = async () =>
        create(BatchReserveStockResponseSchema, await handlers.batchReserveStock(message, context));
      return network.call({ from, to, deadlineMs, serve: () => serve(handle) });
    },
    releaseStock: ({ reservationId = '' }) => {
      const handle = async () => {
        await network.transaction(to, () => data.release(reservationId));
        return {};
      };
      return network.call({ from, to, deadlineMs: releaseDeadlineMs, serve: () => serve(handle) }) as never;
    },
  };
  return calls as Client<typeof InventoryService>;
}
