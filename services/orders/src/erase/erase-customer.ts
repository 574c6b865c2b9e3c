import { setTimeout as sleep } from 'node:timers/promises';
import type { OrderService } from '@acme/gen/orders/v1/order_service_pb';
import type { Client } from '@acme/rpc/client';

/** Maximum time without progress. Orders are settled within 30 s unless inventory is unavailable. */
const maxWaitMs = 60_000;
const pollMs = 500;

/**
 * Erases a customer, and waits for orders that are not settled. Returns the number of erased orders. It may be called again,
 * also after a failure.
 *
 * @throws Error if orders are not settled within a minute.
 */
export async function eraseCustomer(
  orders: Client<typeof OrderService>,
  customerId: string,
): Promise<number> {
  let erased = 0;
  let progressMs = performance.now();
  for (;;) {
    const { erasedOrders, unsettledOrders, done } = await orders.eraseCustomer({ customerId });
    erased += erasedOrders;
    if (done) return erased;
    if (erasedOrders > 0 || unsettledOrders === 0) {
      progressMs = performance.now();
      continue;
    }
    if (performance.now() - progressMs > maxWaitMs)
      throw new Error(
        `${unsettledOrders} orders of the customer are not settled, and ${erased} are erased: repeat the command when inventory is available`,
      );
    await sleep(pollMs);
  }
}
