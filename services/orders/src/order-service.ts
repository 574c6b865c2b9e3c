import type { OrderService } from '@acme/gen/orders/v1/order_service_pb';
import type { ServiceImplementation } from '@acme/rpc/call/handler';
import { annotateSpan } from '@acme/rpc/telemetry/span';
import { type PageTokens, pageSizeOf } from '@acme/rpc/tokens/page-token';
import { OrderError } from './order.ts';
import { customerOf, ownerOf } from './order-access.ts';
import { domainStates, toProto } from './order-proto.ts';
import type { OrderStore } from './order-store.ts';
import type { PlaceOrder } from './place-order.ts';

export interface OrderParts {
  readonly store: OrderStore;
  readonly placeOrder: PlaceOrder;
  readonly orderPages: PageTokens;
  readonly watchOrders: ServiceImplementation<typeof OrderService>['watchOrders'];
  /** Hears that an order was cancelled, whose stock is to be released. */
  readonly onCancelled: () => void;
}

/** The handlers: from the contract's messages to the domain, and back. */
export function createOrderService(parts: OrderParts): ServiceImplementation<typeof OrderService> {
  const { store, placeOrder, orderPages, watchOrders, onCancelled } = parts;
  return {
    placeOrder: async ({ requestId, lines, customerId }, { principal, deadline }) => {
      const order = await placeOrder({
        customerId: customerOf(customerId, principal, 'orders:write:any'),
        requestId: requestId.toLowerCase(),
        lines: lines.map(({ sku, quantity }) => ({ sku, quantity })),
        deadline,
      });
      // By which its trace is found, and that of the settler when it finishes the order later.
      annotateSpan({ 'order.id': order.id, 'order.state': order.state });
      if (order.rejection) throw new OrderError({ kind: 'REJECTED', order, rejection: order.rejection });
      return { order: toProto(order) };
    },
    getOrder: async ({ id }, { principal, signal }) => {
      const order = await store.get(id, ownerOf(principal, 'orders:read:any'), signal);
      if (!order) throw new OrderError({ kind: 'ORDER_NOT_FOUND', id });
      return { order: toProto(order) };
    },
    listOrders: async (
      { pageSize, pageToken, customerId: asked, state: protoState },
      { principal, signal },
    ) => {
      const customerId = customerOf(asked, principal, 'orders:read:any');
      const state = domainStates[protoState];
      const filters = [customerId, state ?? ''];
      const limit = pageSizeOf(pageSize);
      const before = orderPages.decrypt(filters, pageToken);
      const { items, hasMore } = await store.list({ customerId, state, before, limit }, signal);
      const last = items.at(-1);
      const nextPageToken = hasMore && last ? orderPages.encrypt(filters, last.id) : '';
      return { orders: items.map(toProto), nextPageToken };
    },
    cancelOrder: async ({ id, etag }, { principal, signal }) => {
      const order = await store.cancel(id, ownerOf(principal, 'orders:write:any'), etag, signal);
      onCancelled();
      return { order: toProto(order) };
    },
    watchOrders,
  };
}
