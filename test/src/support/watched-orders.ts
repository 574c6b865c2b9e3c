import { randomUUID } from 'node:crypto';
import { Order_State } from '@acme/gen/orders/v1/order_pb';
import type { OrderService } from '@acme/gen/orders/v1/order_service_pb';
import type { Client } from '@acme/rpc/client';
import { expect } from 'vitest';
import { linesOf } from './order-lines.ts';

type Orders = Client<typeof OrderService>;

const stateNames = new Map<number, string>(
  Object.entries(Order_State).map(([name, number]) => [number, name]),
);

/** Opens a watch, and waits for its first response. */
export async function watchOrders(
  orders: Orders,
  request: { resumeToken?: string; customerId?: string } = {},
) {
  const responses = orders.watchOrders(request);
  const first = await responses.next();
  const next = async () => {
    for (;;) {
      const { value } = await responses.next();
      if (value?.order) return { ...value, order: value.order };
    }
  };
  return {
    /** Resume token of the first response. */
    token: first.value?.resumeToken ?? expect.unreachable(),
    /** Returns the next change. */
    next,
    /** Returns the state and etag of the next change, for example `CONFIRMED 2`. */
    change: async () => {
      const { order } = await next();
      return `${stateNames.get(order.state)} ${order.etag}`;
    },
    [Symbol.asyncDispose]: async () => void (await responses.return()),
  };
}

/** Places an order of one SKU. Returns its id. */
export async function placeOrder(orders: Orders, sku: string, quantity = 1): Promise<string> {
  const { order } = await orders.placeOrder({
    requestId: randomUUID(),
    lines: linesOf({ [sku]: quantity }),
  });
  return order?.id ?? expect.unreachable();
}
