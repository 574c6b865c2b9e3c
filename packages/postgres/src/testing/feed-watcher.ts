import type { ChangeFeed } from '../feed/change-feed.ts';
import type { Position } from '../feed/position.ts';
import type { Pool } from '../pool/pool.ts';
import { changeThing, type Thing } from './feed-database.ts';

interface Watcher {
  /** A position, or the number of an event of unknown time. */
  readonly after?: Position | bigint;
  readonly keys?: readonly string[];
  readonly caller?: string;
}

/** Returns the position of an event of unknown time, as in tokens of older releases. */
function seqOnly(after: Position | bigint | undefined): Position | undefined {
  return typeof after === 'bigint' ? { seq: after, timeUs: undefined } : after;
}

/** Opens a watch whose items the test takes one by one. */
export function watcher(feed: ChangeFeed<Thing>, { after, keys, caller = 'caller' }: Watcher = {}) {
  const stop = new AbortController();
  const items = feed.watch(
    { keys: keys && new Set(keys), after: seqOnly(after), caller, signal: stop.signal },
    (event, position) => ({ seq: position.seq, position, event }),
  );
  const opened = Promise.withResolvers<void>();
  const next = async () => {
    const { value } = await items.next();
    opened.resolve();
    return value;
  };
  return {
    next,
    /** Resolves with the first item. */
    opened: opened.promise,
    /** Resolves to the next item that is no heartbeat: `A2` for A's second version. */
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

/** Changes the keys one after the other. */
export async function change(pool: Pool, ...keys: string[]) {
  for (const key of keys) await pool.query(changeThing, [key]);
}
