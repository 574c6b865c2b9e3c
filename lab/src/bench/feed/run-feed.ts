import { setTimeout as sleep } from 'node:timers/promises';
import type { OrderService } from '@acme/gen/orders/v1/order_service_pb';
import type { Pool } from '@acme/postgres/pool';
import type { Client } from '@acme/rpc/client';
import { writeEvents } from './write-events.ts';

export interface FeedRunOptions {
  /** The orders database. The writers use its connections. */
  readonly pool: Pool;
  /** One client per replica, with the scope to read every customer's orders. */
  readonly replicas: readonly Client<typeof OrderService>[];
  readonly events: number;
  readonly writers: number;
  readonly watchers: number;
  /** Further load. Its signal is aborted when the writers have finished. */
  readonly meanwhile?: (signal: AbortSignal) => Promise<void>;
}

export interface FeedRunResult {
  /** Number of events in the table. */
  readonly events: number;
  /** Number of resumes of all watchers. */
  readonly resumptions: number;
  /** Differences from the table, a line each. Empty if every watcher received every event once, in order. */
  readonly problems: readonly string[];
}

const customerIds = ['feed-1', 'feed-2', 'feed-3'];
const maxWatchMs = 400;
/** A watcher that misses events fails after this long without a new one. */
const idleTimeoutMs = 30_000;

/**
 * Watches on several replicas while writers commit in arbitrary order. Each watch ends at a random moment and resumes from
 * the token of its last response on a random replica. At the end, the received events are compared with the table.
 */
export async function runFeed(options: FeedRunOptions): Promise<FeedRunResult> {
  const { pool, replicas, events, writers, watchers, meanwhile = async () => {} } = options;
  const written = new AbortController();
  const watching = Array.from({ length: watchers }, (_, index) =>
    startWatcher(replicas, customerIds[index % customerIds.length] as string),
  );
  await Promise.all(watching.map(({ established }) => established));
  const beside = meanwhile(written.signal);
  await writeEvents({ pool, customerIds, writers, events, maxDelayMs: 20 });
  written.abort();
  await beside;

  let total = 0;
  const problemsNow = async () => {
    const expected = await Promise.all(customerIds.map((customerId) => eventsOf(pool, customerId)));
    total = expected.reduce((sum, { length }) => sum + length, 0);
    return watching.flatMap(({ customerId, received }, index) =>
      difference(expected[customerIds.indexOf(customerId)] ?? [], received).map(
        (problem) => `watcher ${index}: ${problem}`,
      ),
    );
  };
  const countReceived = () => watching.reduce((sum, { received }) => sum + received.length, 0);
  let problems = await problemsNow();
  for (let [last, sinceMs] = [countReceived(), performance.now()]; problems.length > 0; ) {
    await sleep(500);
    problems = await problemsNow();
    if (countReceived() > last) [last, sinceMs] = [countReceived(), performance.now()];
    else if (performance.now() - sinceMs > idleTimeoutMs) break;
  }
  // A repeated event would arrive after the next resume.
  await sleep(maxWatchMs);
  if (problems.length === 0) problems = await problemsNow();
  const resumptions = await Promise.all(watching.map(({ stop }) => stop()));
  return {
    events: total,
    resumptions: resumptions.reduce((sum, count) => sum + count, 0),
    problems,
  };
}

function startWatcher(replicas: FeedRunOptions['replicas'], customerId: string) {
  const received: string[] = [];
  const established = Promise.withResolvers<void>();
  let stopped = false;
  const watch = async () => {
    let resumeToken = '';
    let resumptions = -1;
    for (; !stopped; resumptions++) {
      const replica = replicas[Math.floor(Math.random() * replicas.length)];
      const ended = new AbortController();
      const timer = setTimeout(() => ended.abort(), Math.random() * maxWatchMs);
      try {
        const responses = replica?.watchOrders({ customerId, resumeToken }, { signal: ended.signal }) ?? [];
        for await (const response of responses) {
          resumeToken = response.resumeToken;
          if (response.order) received.push(`${response.order.id} ${response.order.etag}`);
          established.resolve();
        }
      } catch (error) {
        if (!ended.signal.aborted) await sleep(10);
        if (!ended.signal.aborted && String(error).includes('resume_token')) throw error;
      } finally {
        clearTimeout(timer);
      }
    }
    return resumptions;
  };
  const watching = watch();
  return {
    customerId,
    received,
    established: established.promise,
    /** Stops the watcher. Resolves with the number of resumes. */
    stop: () => {
      stopped = true;
      return watching;
    },
  };
}

/** Returns the order id and version of each event, in the order of the feed. */
async function eventsOf(pool: Pool, customerId: string): Promise<string[]> {
  const { rows } = await pool.query<{ event: string }>(
    `SELECT order_id || ' ' || event.version AS event
     FROM order_events AS event JOIN orders ON orders.id = order_id WHERE customer_id = $1 ORDER BY seq`,
    [customerId],
  );
  return rows.map(({ event }) => event);
}

function difference(expected: readonly string[], received: readonly string[]): string[] {
  const at = expected.findIndex((event, index) => event !== received[index]);
  const problems = at < 0 ? [] : [`event ${at} is ${expected[at]}, received ${received[at]}`];
  return received.length === expected.length
    ? problems
    : [...problems, `received ${received.length} of ${expected.length} events`];
}
