import type { ChangeFeed } from '../feed/change-feed.ts';
import type { Place } from '../feed/position.ts';
import type { Pool } from '../pool/pool.ts';
import { changeThing, type Thing } from './feed-database.ts';

interface Watcher {
  /** A place, or the number of an event. */
  readonly after?: Place | bigint;
  readonly keys?: readonly string[];
  readonly caller?: string;
}

/** The place of an event of unknown time, as tokens of older releases have it. */
function seqOnly(after: Place | bigint | undefined): Place | undefined {
  return typeof after === 'bigint' ? { seq: after, timeUs: undefined } : after;
}

/** A watcher whose items are asked for one by one. */
export function watcher(feed: ChangeFeed<Thing>, { after, keys, caller = 'caller' }: Watcher = {}) {
  const stop = new AbortController();
  const items = feed.watch(
    { keys: keys && new Set(keys), after: seqOnly(after), caller, signal: stop.signal },
    (event, place) => ({ seq: place.seq, place, event }),
  );
  const standing = Promise.withResolvers<void>();
  const next = async () => {
    const { value } = await items.next();
    standing.resolve();
    return value;
  };
  return {
    next,
    /** Resolves with the first item. */
    standing: standing.promise,
    /** The next that is no heartbeat: `A2` for A's second version. */
    nextChange: async () => {
      for (;;) {
        const item = await next();
        if (item?.event) return `${item.event.key}${item.event.version}`;
      }
    },
    stop: () => stop.abort(),
    [Symbol.asyncDispose]: async () => {
      stop.abort();
      await items.return().catch(() => {});
    },
  };
}

/** Changes that are made one after the other. */
export async function change(pool: Pool, ...keys: string[]) {
  for (const key of keys) await pool.query(changeThing, [key]);
}
