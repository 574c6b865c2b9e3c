import { type WatchOrdersRequest, WatchOrdersResponseSchema } from '@acme/gen/orders/v1/order_service_pb';
import { createServeWatch } from '@acme/postgres/feed/serve-watch';
import type { CallContext } from '@acme/rpc/call/call-context';
import type { ResumeTokens } from '@acme/rpc/tokens/resume-token';
import { customerOf } from './order-access.ts';
import type { OrderFeed } from './order-feed.ts';
import { toProto } from './order-proto.ts';

/** The handler of WatchOrders: the changes of one customer's orders, the caller's own by default. */
export function createWatchOrders(feed: OrderFeed, tokens: ResumeTokens) {
  const serveWatch = createServeWatch({
    feed,
    tokens,
    response: WatchOrdersResponseSchema,
    toResponse: (order, resumeToken) => ({ resumeToken, ...(order && { order: toProto(order) }) }),
  });
  return ({ resumeToken, customerId: asked }: WatchOrdersRequest, context: CallContext) => {
    const customerId = customerOf(asked, context.principal, 'orders:read:any');
    return serveWatch({ keys: new Set([customerId]), filters: [customerId], resumeToken }, context);
  };
}
