import { type OrderService, WatchOrdersResponseSchema } from '@acme/gen/orders/v1/order_service_pb';
import { createWatchHandler } from '@acme/postgres/feed';
import { type Principal, requireScopes, type ServiceImplementation } from '@acme/rpc/server';
import { annotateSpan } from '@acme/rpc/telemetry';
import { type PageTokens, pageSizeOf, type ResumeTokens } from '@acme/rpc/tokens';
import type { CancellationStore } from './order/cancellation-store.ts';
import type { ErasureStore } from './order/erasure-store.ts';
import { OrderError } from './order/order.ts';
import type { OrderFeed } from './order/order-feed.ts';
import type { OrderStore } from './order/order-store.ts';
import { stateFromProto, toProto } from './order-proto.ts';
import type { PlaceOrder } from './place-order.ts';

export interface OrderServiceDependencies {
  readonly orders: OrderStore;
  readonly cancellations: CancellationStore;
  readonly erasures: ErasureStore;
  readonly placeOrder: PlaceOrder;
  readonly feed: OrderFeed;
  readonly pageTokens: PageTokens;
  readonly resumeTokens: ResumeTokens;
  /** Called after an order was cancelled. Its stock is not released yet. */
  readonly onCancelled: () => void;
}

/** Returns the handlers: they map messages to commands of the domain, and orders back to messages. */
export function createOrderService(
  dependencies: OrderServiceDependencies,
): ServiceImplementation<typeof OrderService> {
  const { orders, cancellations, erasures, placeOrder, feed, pageTokens, resumeTokens, onCancelled } =
    dependencies;
  const handleWatch = createWatchHandler({
    feed,
    tokens: resumeTokens,
    response: WatchOrdersResponseSchema,
    toResponse: (order, resumeToken) => ({ resumeToken, ...(order && { order: toProto(order) }) }),
  });
  return {
    placeOrder: async ({ requestId, lines, customerId }, { principal, deadlineAtMs }) => {
      const order = await placeOrder({
        customerId: requestedCustomer(customerId, principal, 'orders:write:any'),
        requestId: requestId.toLowerCase(),
        lines: lines.map(({ sku, quantity }) => ({ sku, quantity })),
        deadlineAtMs,
      });
      // The store has annotated the span with the id. The settler's spans have the same attributes.
      annotateSpan({ 'order.state': order.state });
      if (order.rejection) throw new OrderError({ kind: 'REJECTED', order, rejection: order.rejection });
      return { order: toProto(order) };
    },
    getOrder: async ({ id }, { principal, signal }) => {
      const order = await orders.get(id, ownerFilter(principal, 'orders:read:any'), signal);
      if (!order) throw new OrderError({ kind: 'ORDER_NOT_FOUND', id });
      return { order: toProto(order) };
    },
    listOrders: async (
      { pageSize, pageToken, customerId: requested, state: protoState },
      { principal, signal },
    ) => {
      const customerId = requestedCustomer(requested, principal, 'orders:read:any');
      const state = stateFromProto[protoState];
      const filters = [customerId, state ?? ''];
      const limit = pageSizeOf(pageSize);
      const before = pageTokens.decrypt(filters, pageToken);
      const { items, hasMore } = await orders.list({ customerId, state, before, limit }, signal);
      const last = items.at(-1);
      const nextPageToken = hasMore && last ? pageTokens.encrypt(filters, last.id) : '';
      return { orders: items.map(toProto), nextPageToken };
    },
    cancelOrder: async ({ id, etag }, { principal, signal }) => {
      const order = await cancellations.cancel(id, ownerFilter(principal, 'orders:write:any'), etag, signal);
      annotateSpan({ 'order.id': order.id, 'order.state': order.state });
      onCancelled();
      return { order: toProto(order) };
    },
    eraseCustomer: async ({ customerId }, { signal }) => {
      const { erasedOrders, unsettledOrders, isDone } = await erasures.eraseSome(customerId, signal);
      return { erasedOrders, unsettledOrders, done: isDone };
    },
    watchOrders: ({ resumeToken, customerId: requested }, context) => {
      const customerId = requestedCustomer(requested, context.principal, 'orders:read:any');
      return handleWatch({ keys: new Set([customerId]), filters: [customerId], resumeToken }, context);
    },
  };
}

/** Returns the requested customer or the caller. Throws PERMISSION_DENIED for another customer without `anyScope`. */
function requestedCustomer(requested: string, principal: Principal, anyScope: string): string {
  if (requested !== '' && requested !== principal.subject) requireScopes(principal, [anyScope]);
  return requested || principal.subject;
}

/**
 * Returns the only customer whose orders the caller may address by id, or undefined for a caller with `anyScope`. Other
 * orders are NOT_FOUND for the caller.
 */
function ownerFilter(principal: Principal, anyScope: string): string | undefined {
  return principal.scopes.has(anyScope) ? undefined : principal.subject;
}
