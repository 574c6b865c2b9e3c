// Change feeds, and the methods that stream them.
export { type ChangeFeed, type ChangeFeedOptions, openChangeFeed } from '../feed/change-feed.ts';
export type { FeedEvent, FeedSource } from '../feed/feed-source.ts';
export { prune } from '../feed/pruning.ts';
export {
  createWatchHandler,
  type WatchHandlerOptions,
  type WatchQuery,
  watchErrors,
} from '../feed/watch-handler.ts';
