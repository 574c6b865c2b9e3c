import type { Order, OrderLine } from '@acme/orders/order/order';
import { createPlaceOrder } from '@acme/orders/place-order';
import { createSettleOrder } from '@acme/orders/settling/settle-order';
import { createStockStep } from '@acme/orders/steps/stock-step';
import type { CircuitBreaker } from '@acme/rpc/client';
import type { Network, Process } from './network.ts';
import type { OrdersData } from './orders-data.ts';
import type { Parts } from './parts.ts';
import { createStockClient, type StockCell } from './stock-client.ts';
import type { VirtualTime } from './virtual-time.ts';

export interface OrderRequest {
  readonly customerId: string;
  readonly requestId: string;
  readonly lines: readonly OrderLine[];
}

/** A replica of orders in a cell, with the use case and the settling of orders, and a step for each inventory cell. */
export interface OrdersProcess {
  readonly process: Process;
  place(request: OrderRequest): Promise<Order>;
  cancel(id: string): Promise<Order>;
  /** Attempts the due orders once. */
  settleDue(): void;
}

export interface OrdersProcessDependencies {
  readonly parts: Parts;
  readonly time: VirtualTime;
  readonly network: Network;
  readonly process: Process;
  /** The database of the cell, which its replicas share. */
  readonly data: OrdersData;
  readonly stockCells: readonly StockCell[];
  readonly newId: () => string;
}

/** As in `settler.ts`. */
const settleDeadlineMs = 1000;
const placeDeadlineMs = 2000;
/** The simulation has no circuit breaker. */
const circuitBreaker: Pick<CircuitBreaker, 'state' | 'execute'> = {
  state: () => 'closed',
  execute: (call) => call(),
};

export function createOrdersProcess(dependencies: OrdersProcessDependencies): OrdersProcess {
  const { parts, time, network, process, data, stockCells, newId } = dependencies;
  const steps = stockCells.map((cell, index) =>
    parts.createCellStep(
      `stock ${index}`,
      createStockStep({ client: createStockClient(network, process, cell), circuitBreaker }),
      (sku) => cell.data.stock.has(sku),
    ),
  );
  const settle = createSettleOrder({
    steps,
    store: { settle: (id, settlement) => network.transaction(process, () => data.settle(id, settlement)) },
    onUnsettled: () => {},
    nowMs: time.nowMs,
  });
  const placeOrder = createPlaceOrder({
    store: { place: (order) => network.transaction(process, () => data.place(order)) },
    settle,
    // Returns PENDING and settles in the background: the other branch has a timer of the real time.
    isUnavailable: () => true,
    detach: (work) => void work(),
    newId,
    nowMs: time.nowMs,
  });
  const undo = async (order: Order) => {
    await parts.undoAll(steps, order);
    await network.transaction(process, () => data.markUndone(order.id));
  };
  return {
    process,
    place: (request) => placeOrder({ ...request, deadlineAtMs: time.nowMs() + placeDeadlineMs }),
    cancel: (id) => network.transaction(process, () => data.cancel(id)),
    settleDue: () => {
      if (!process.isUp) return;
      for (const order of data.leaseDue())
        if (order.state === 'PENDING') void settle(order, { deadlineMs: settleDeadlineMs, attempts: 1 });
        // It stays due.
        else undo(order).catch(() => {});
    },
  };
}
