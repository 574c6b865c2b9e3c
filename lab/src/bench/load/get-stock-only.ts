import type { InventoryService } from '@acme/gen/inventory/v1/inventory_service_pb';
import type { ServiceImplementation } from '@acme/rpc/server';

type Implementation = ServiceImplementation<typeof InventoryService>;

const notCalled = () => {
  throw new Error('the bench calls GetStock only');
};

/** Returns an implementation of InventoryService with one method, for benchmarks of calls. */
export function getStockOnly(getStock: Implementation['getStock']): Implementation {
  return {
    getStock,
    listStock: notCalled,
    reserveStock: notCalled,
    batchReserveStock: notCalled,
    releaseStock: notCalled,
    listReservations: notCalled,
    watchStock: notCalled,
    importStock: notCalled,
    countStock: notCalled,
  };
}
