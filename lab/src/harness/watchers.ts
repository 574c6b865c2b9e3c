import { setTimeout as sleep } from 'node:timers/promises';
import { InventoryService } from '@acme/gen/inventory/v1/inventory_service_pb';
import type { Tx } from '@acme/postgres/transaction';
import { createClient, resumingWatch } from '@acme/rpc/client';
import type { Customers } from './customers.ts';
import type { Databases } from './invariants.ts';
import type { Random } from './seeded-random.ts';
import { watchErrors } from './watch-errors.ts';

/** Clients that watch the change feeds and resume. Each must receive every event once, in order, despite all faults. */
export interface Watchers extends AsyncDisposable {
  /** Returns the events that were missed, repeated or out of order, a line each. Call it when nothing changes any more. */
  errors(): Promise<string[]>;
}

export interface WatchersOptions {
  readonly databases: Databases;
  readonly inventoryTarget: string;
  /** A token with `inventory:read`. */
  readonly stockToken: string;
  readonly random: Random;
  readonly customers: Customers;
  /** Each of these customers gets a watcher. One more watcher watches all stock. */
  readonly customerIds: readonly string[];
}

/** One feed. An event is identified by the resource and its version. */
interface Feed {
  readonly name: string;
  watch(resumeToken: string, signal: AbortSignal): AsyncIterable<FeedResponse>;
  /** Reads the events from the database, in order. */
  recorded(): Promise<readonly string[]>;
}

interface FeedResponse {
  readonly resumeToken: string;
  /** Undefined for a heartbeat. */
  readonly event: string | undefined;
}

/** Duration of one watch call. The next one resumes from its last token. */
const watchMs = { min: 50, max: 1500 };
/** The last event must be received this soon. */
const deliveryTimeoutMs = 15_000;

/** Starts the watchers. The databases must not change until it resolves. */
export async function startWatchers(options: WatchersOptions): Promise<Watchers> {
  const { databases, inventoryTarget: target, stockToken, random, customers, customerIds } = options;
  await using starting = new AsyncDisposableStack();
  const inventory = starting.use(createClient(InventoryService, { target, token: () => stockToken }));
  const orderFeeds = customerIds.map(
    (customerId): Feed => ({
      name: `the watcher of ${customerId}`,
      watch: async function* (resumeToken, signal) {
        const request = { customerId, resumeToken };
        for await (const { order, ...response } of resumingWatch(customers.client.watchOrders, request, {
          signal,
        }))
          yield {
            resumeToken: response.resumeToken,
            event: order && `order ${order.id} version ${order.etag}`,
          };
      },
      recorded: () =>
        eventsOf(
          databases.ordersDatabase,
          `SELECT format('order %s version %s', order_id, event.version) AS event
           FROM order_events AS event JOIN orders ON orders.id = order_id WHERE customer_id = $1 ORDER BY seq`,
          [customerId],
        ),
    }),
  );
  const imported = await eventsOf(databases.inventoryDatabase, stockEvents, [0]);
  const stockFeed: Feed = {
    name: 'the watcher of the stock',
    watch: async function* (resumeToken, signal) {
      for await (const { stock, ...response } of resumingWatch(
        inventory.watchStock,
        { resumeToken },
        { signal },
      ))
        yield {
          resumeToken: response.resumeToken,
          event: stock && `stock of ${stock.sku} version ${stock.etag}`,
        };
    },
    recorded: () => eventsOf(databases.inventoryDatabase, stockEvents, [imported.length]),
  };
  const watchers = [...orderFeeds, stockFeed].map((feed) =>
    starting.use(startWatcher(feed, random.fork(feed.name))),
  );
  await Promise.all(watchers.map(({ established }) => established));
  const running = starting.move();
  return {
    errors: async () => (await Promise.all(watchers.map((each) => each.errors()))).flat(),
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

const stockEvents = `SELECT format('stock of %s version %s', sku, version) AS event
                     FROM stock_events ORDER BY seq OFFSET $1`;

async function eventsOf(database: Tx, select: string, values: readonly unknown[]): Promise<string[]> {
  const { rows } = await database.query<{ event: string }>(select, [...values]);
  return rows.map(({ event }) => event);
}

interface Watcher extends AsyncDisposable {
  /** Resolves when the watch is established: it receives every later event. */
  readonly established: Promise<void>;
  errors(): Promise<string[]>;
}

function startWatcher({ name, watch, recorded }: Feed, random: Random): Watcher {
  const stopped = new AbortController();
  const established = Promise.withResolvers<void>();
  const received: string[] = [];
  let resumeToken = '';
  const watchOnce = async () => {
    const timeout = AbortSignal.timeout(random.int(watchMs.min, watchMs.max));
    try {
      for await (const response of watch(resumeToken, AbortSignal.any([stopped.signal, timeout]))) {
        resumeToken = response.resumeToken;
        if (response.event !== undefined) received.push(response.event);
        established.resolve();
      }
    } catch (error) {
      if (!timeout.aborted && !stopped.signal.aborted) throw error;
    }
  };
  const watching = (async () => {
    while (!stopped.signal.aborted) await watchOnce();
  })();
  let ended: string | undefined;
  watching.catch((error) => {
    ended = `${name} ended with ${error}`;
    established.reject(error);
  });
  return {
    established: established.promise,
    errors: async () => {
      const expected = await recorded();
      const endMs = performance.now() + deliveryTimeoutMs;
      while (received.length < expected.length && ended === undefined && performance.now() < endMs)
        await sleep(20);
      // A repeated event would arrive after the next resume.
      await sleep(watchMs.max);
      return [...(ended === undefined ? [] : [ended]), ...watchErrors(name, received, expected)];
    },
    [Symbol.asyncDispose]: async () => {
      stopped.abort();
      await watching.catch(() => {});
    },
  };
}
