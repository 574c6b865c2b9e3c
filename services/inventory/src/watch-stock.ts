import {
  type WatchStockRequest,
  WatchStockResponseSchema,
} from '@acme/gen/inventory/v1/inventory_service_pb';
import { createServeWatch } from '@acme/postgres/feed/serve-watch';
import type { CallContext } from '@acme/rpc/call/call-context';
import type { ResumeTokens } from '@acme/rpc/tokens/resume-token';
import type { StockFeed } from './stock-feed.ts';
import { stockToProto } from './stock-proto.ts';

/** The handler of WatchStock: the changes of some articles, or of all. */
export function createWatchStock(feed: StockFeed, tokens: ResumeTokens) {
  const serveWatch = createServeWatch({
    feed,
    tokens,
    response: WatchStockResponseSchema,
    toResponse: (stock, resumeToken) => ({ resumeToken, ...(stock && { stock: stockToProto(stock) }) }),
  });
  return ({ resumeToken, skus }: WatchStockRequest, context: CallContext) => {
    // A set: their order, and one that is named twice, change nothing.
    const keys = new Set(skus.toSorted());
    return serveWatch({ keys: keys.size > 0 ? keys : undefined, filters: [...keys], resumeToken }, context);
  };
}
