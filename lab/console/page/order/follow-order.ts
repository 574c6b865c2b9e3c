import { type Order, Order_State } from '@acme/gen/orders/v1/order_pb';
import { OrderService } from '@acme/gen/orders/v1/order_service_pb';
import { Code, ConnectError } from '@connectrpc/connect';
import { effect } from '@preact/signals';
import { orders, ordersVersion } from '../data/orders.ts';
import { clientOf } from '../data/session.ts';
import { pause } from '../data/visibility.ts';
import { untilReady } from '../data/watch.ts';

const pollMs = 2000;
const finalStates: ReadonlySet<Order_State> = new Set([Order_State.REJECTED, Order_State.CANCELLED]);
const finalCodes: ReadonlySet<Code> = new Set([Code.NotFound, Code.InvalidArgument]);

export interface Follower {
  take(order: Order): void;
  /** Called with why the order could not be read. */
  fail(error: ConnectError): void;
}

/**
 * Reads an order until it cannot change any more, or does not exist: at once when a watch has seen a change of it, and every two
 * seconds, since the page watches the orders of some customers only.
 */
export async function followOrder(id: string, { take, fail }: Follower, stopped: AbortSignal): Promise<void> {
  for (;;) {
    await untilReady('orders', stopped);
    if (stopped.aborted) return;
    const seen = orders.get(id)?.state;
    try {
      const { order } = await clientOf('orders', OrderService).getOrder({ id }, { signal: stopped });
      if (stopped.aborted) return;
      if (order) take(order);
      if (order && finalStates.has(order.state)) return;
    } catch (error) {
      if (stopped.aborted) return;
      const failure = ConnectError.from(error);
      fail(failure);
      if (finalCodes.has(failure.code)) return;
    }
    const changed = new AbortController();
    const stopLooking = effect(() => {
      ordersVersion.value;
      if (orders.get(id)?.state !== seen) changed.abort();
    });
    await pause(pollMs, AbortSignal.any([stopped, changed.signal]));
    stopLooking();
  }
}
