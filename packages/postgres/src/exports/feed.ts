export { type ChangeFeed, type ChangeFeedOptions, openChangeFeed } from '../feed/change-feed.ts';
export type { FeedSource } from '../feed/feed-source.ts';
export { prune } from '../feed/pruning.ts';
export { createWatchHandler } from '../feed/watch-handler.ts';
