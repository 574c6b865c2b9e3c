import { setTimeout as sleep } from 'node:timers/promises';
import type { OrderService } from '@acme/gen/orders/v1/order_service_pb';
import type { Pool } from '@acme/postgres/pool/pool';
import type { Client } from '@acme/rpc/client/create-client';
import { writeEvents } from './write-events.ts';

export interface FeedRunOptions {
  /** The database of orders; its connections are the writers'. */
  readonly pool: Pool;
  /** Of each replica, with the right to read anybody's orders. */
  readonly replicas: readonly Client<typeof OrderService>[];
  readonly events: number;
  readonly writers: number;
  readonly watchers: number;
  /** What goes on beside the writers, until they have done. */
  readonly meanwhile?: (signal: AbortSignal) => Promise<void>;
}

export interface FeedRunResult {
  /** Events that there were. */
  readonly events: number;
  /** How often a watch was ended and resumed, by all watchers together. */
  readonly resumptions: number;
  /** What went wrong: empty when every watcher saw every event once and in order. */
  readonly problems: readonly string[];
}

const customerIds = ['feed-1', 'feed-2', 'feed-3'];
const longestWatchMs = 400;
/** How long watchers that miss something may see nothing. */
const patienceMs = 30_000;

/**
 * Watches, from several replicas, while many writers commit in any order. Each watcher is ended at random, between two
 * responses or in the middle, and resumes from the token of its last response on any replica. At the end what it saw is
 * compared with the table.
 */
export async function runFeed(options: FeedRunOptions): Promise<FeedRunResult> {
  const { pool, replicas, events, writers, watchers, meanwhile = async () => {} } = options;
  const written = new AbortController();
  const watching = Array.from({ length: watchers }, (_, index) =>
    startWatcher(replicas, customerIds[index % customerIds.length] as string),
  );
  await Promise.all(watching.map(({ standing }) => standing));
  const beside = meanwhile(written.signal);
  await writeEvents({ pool, customerIds, writers, events, maxDelayMs: 20 });
  written.abort();
  await beside;

  let total = 0;
  const problemsNow = async () => {
    const expected = await Promise.all(customerIds.map((customerId) => eventsOf(pool, customerId)));
    total = expected.reduce((sum, { length }) => sum + length, 0);
    return watching.flatMap(({ customerId, seen }, index) =>
      difference(expected[customerIds.indexOf(customerId)] ?? [], seen).map(
        (problem) => `watcher ${index}: ${problem}`,
      ),
    );
  };
  const seen = () => watching.reduce((sum, watcher) => sum + watcher.seen.length, 0);
  let problems = await problemsNow();
  for (let [lastSeen, sinceMs] = [seen(), performance.now()]; problems.length > 0; ) {
    await sleep(500);
    problems = await problemsNow();
    if (seen() > lastSeen) [lastSeen, sinceMs] = [seen(), performance.now()];
    else if (performance.now() - sinceMs > patienceMs) break;
  }
  // An event that is told twice would come now.
  await sleep(longestWatchMs);
  if (problems.length === 0) problems = await problemsNow();
  const resumptions = await Promise.all(watching.map(({ stop }) => stop()));
  return {
    events: total,
    resumptions: resumptions.reduce((sum, count) => sum + count, 0),
    problems,
  };
}

function startWatcher(replicas: FeedRunOptions['replicas'], customerId: string) {
  const seen: string[] = [];
  const standing = Promise.withResolvers<void>();
  let stopped = false;
  const watch = async () => {
    let resumeToken = '';
    let resumptions = -1;
    for (; !stopped; resumptions++) {
      const replica = replicas[Math.floor(Math.random() * replicas.length)];
      const killed = new AbortController();
      const timer = setTimeout(() => killed.abort(), Math.random() * longestWatchMs);
      try {
        const responses = replica?.watchOrders({ customerId, resumeToken }, { signal: killed.signal }) ?? [];
        for await (const response of responses) {
          resumeToken = response.resumeToken;
          if (response.order) seen.push(`${response.order.id} ${response.order.etag}`);
          standing.resolve();
        }
      } catch (error) {
        if (!killed.signal.aborted) await sleep(10);
        if (!killed.signal.aborted && String(error).includes('resume_token')) throw error;
      } finally {
        clearTimeout(timer);
      }
    }
    return resumptions;
  };
  const watching = watch();
  return {
    customerId,
    seen,
    standing: standing.promise,
    /** How often it was resumed. */
    stop: () => {
      stopped = true;
      return watching;
    },
  };
}

/** In the order of the feed: the order's id and its version. */
async function eventsOf(pool: Pool, customerId: string): Promise<string[]> {
  const { rows } = await pool.query<{ event: string }>(
    `SELECT order_id || ' ' || event.version AS event
     FROM order_events AS event JOIN orders ON orders.id = order_id WHERE customer_id = $1 ORDER BY seq`,
    [customerId],
  );
  return rows.map(({ event }) => event);
}

function difference(expected: readonly string[], seen: readonly string[]): string[] {
  const at = expected.findIndex((event, index) => event !== seen[index]);
  const problems = at < 0 ? [] : [`event ${at} is ${expected[at]}, it saw ${seen[at]}`];
  return seen.length === expected.length
    ? problems
    : [...problems, `it saw ${seen.length} events of ${expected.length}`];
}
