import { Order_State } from '@acme/gen/orders/v1/order_pb';
import type { OrderService } from '@acme/gen/orders/v1/order_service_pb';
import type { ServiceImplementation } from '@acme/rpc/bridge/handler';
import type { Principal } from '@acme/rpc/call-context';
import { Code, RpcError } from '@acme/rpc/errors';
import { requireScopes } from '@acme/rpc/interceptors/auth';
import { type PageTokens, pageSizeOf } from '@acme/rpc/page-token';
import { annotateSpan } from '@acme/rpc/span';
import { timestampFromDate } from '@bufbuild/protobuf/wkt';
import { etagOf, type Order, OrderError, type OrderState } from './order.ts';
import type { OrderStore } from './order-store.ts';
import type { PlaceOrder } from './place-order.ts';

export interface OrderParts {
  readonly store: OrderStore;
  readonly placeOrder: PlaceOrder;
  readonly orderPages: PageTokens;
  /** Hears that an order was cancelled, whose stock is to be released. */
  readonly onCancelled: () => void;
}

/** The handlers: from the contract's messages to the domain, and back. */
export function createOrderService(parts: OrderParts): ServiceImplementation<typeof OrderService> {
  const { store, placeOrder, orderPages, onCancelled } = parts;
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
      const before = orderPages.open(filters, pageToken);
      const found = await store.list({ customerId, state, before, limit: limit + 1 }, signal);
      const page = found.slice(0, limit);
      const last = page.at(-1);
      const nextPageToken = found.length > limit && last ? orderPages.seal(filters, last.id) : '';
      return { orders: page.map(toProto), nextPageToken };
    },
    cancelOrder: async ({ id, etag }, { principal, signal }) => {
      const order = await store.cancel(id, ownerOf(principal, 'orders:write:any'), etag, signal);
      onCancelled();
      return { order: toProto(order) };
    },
    watchOrders: () => notServedYet('WatchOrders'),
  };
}

/** The customer that is asked for; the caller itself by default. Another one takes a scope of its own. */
function customerOf(asked: string, principal: Principal, anyScope: string): string {
  if (asked !== '' && asked !== principal.subject) requireScopes(principal, [anyScope]);
  return asked || principal.subject;
}

/** Whose orders the caller may touch by their ids: undefined for anybody's. To others they do not exist. */
function ownerOf(principal: Principal, anyScope: string): string | undefined {
  return principal.scopes.has(anyScope) ? undefined : principal.subject;
}

// biome-ignore lint/correctness/useYield: it is a stream that has not been built.
async function* notServedYet(method: string): AsyncGenerator<never> {
  throw new RpcError(Code.UNIMPLEMENTED, `${method} is in the contract, but not served yet`);
}

const protoStates: Record<OrderState, Order_State> = {
  PENDING: Order_State.PENDING,
  CONFIRMED: Order_State.CONFIRMED,
  REJECTED: Order_State.REJECTED,
  CANCELLED: Order_State.CANCELLED,
};

const domainStates: Record<Order_State, OrderState | undefined> = {
  [Order_State.UNSPECIFIED]: undefined,
  [Order_State.PENDING]: 'PENDING',
  [Order_State.CONFIRMED]: 'CONFIRMED',
  [Order_State.REJECTED]: 'REJECTED',
  [Order_State.CANCELLED]: 'CANCELLED',
};

function toProto(order: Order) {
  return {
    id: order.id,
    customerId: order.customerId,
    lines: [...order.lines],
    state: protoStates[order.state],
    etag: etagOf(order),
    createTime: timestampFromDate(order.createTime),
    updateTime: timestampFromDate(order.updateTime),
    rejectReason: order.rejection?.reason ?? '',
  };
}
