import { setTimeout as sleep } from 'node:timers/promises';
import { InventoryService } from '@acme/gen/inventory/v1/inventory_service_pb';
import type { Tx } from '@acme/postgres/transaction/transaction';
import { createClient } from '@acme/rpc/client/create-client';
import { resumingWatch } from '@acme/rpc/client/resuming-watch';
import type { Customers } from './customer.ts';
import type { Books } from './invariants.ts';
import type { Random } from './seeded-random.ts';
import { watchErrors } from './watch-errors.ts';

/** Clients that watch the change feeds, and must see every event once and in order, whatever happens to them. */
export interface Watchers extends AsyncDisposable {
  /** What has been seen otherwise than it happened, a line each. To be asked when nothing changes any more. */
  errors(): Promise<string[]>;
}

export interface WatchersOptions {
  readonly books: Books;
  readonly inventoryTarget: string;
  /** May read the stock. */
  readonly stockToken: string;
  readonly random: Random;
  readonly customers: Customers;
  /** Whose orders are watched, by a watcher each; one more watches all the stock. */
  readonly customerIds: readonly string[];
}

/** What one watches. An event is told by what it is of, and its version then. */
interface Watched {
  readonly name: string;
  watch(resumeToken: string, signal: AbortSignal): AsyncIterable<Seen>;
  /** What has happened, in order. */
  happened(): Promise<readonly string[]>;
}

interface Seen {
  readonly resumeToken: string;
  /** Undefined in a heartbeat. */
  readonly event: string | undefined;
}

/** A client lives for so long; the next one begins with the token that it has left. */
const lifeMs = { least: 50, most: 1500 };
/** How long what has happened last may take to be seen. */
const patienceMs = 15_000;

/** Starts them, on books that do not change meanwhile. */
export async function startWatchers(options: WatchersOptions): Promise<Watchers> {
  const { books, inventoryTarget: target, stockToken, random, customers, customerIds } = options;
  await using starting = new AsyncDisposableStack();
  const inventory = starting.use(createClient(InventoryService, { target, token: () => stockToken }));
  const ofOrders = customerIds.map(
    (customerId): Watched => ({
      name: `the watcher of ${customerId}`,
      watch: async function* (resumeToken, signal) {
        const request = { customerId, resumeToken };
        for await (const { order, ...seen } of resumingWatch(customers.client.watchOrders, request, {
          signal,
        }))
          yield { resumeToken: seen.resumeToken, event: order && `order ${order.id} version ${order.etag}` };
      },
      happened: () =>
        eventsOf(
          books.ordersDatabase,
          `SELECT format('order %s version %s', order_id, event.version) AS event
           FROM order_events AS event JOIN orders ON orders.id = order_id WHERE customer_id = $1 ORDER BY seq`,
          [customerId],
        ),
    }),
  );
  const imported = await eventsOf(books.inventoryDatabase, stockEvents, [0]);
  const ofStock: Watched = {
    name: 'the watcher of the stock',
    watch: async function* (resumeToken, signal) {
      for await (const { stock, ...seen } of resumingWatch(inventory.watchStock, { resumeToken }, { signal }))
        yield {
          resumeToken: seen.resumeToken,
          event: stock && `stock of ${stock.sku} version ${stock.etag}`,
        };
    },
    happened: () => eventsOf(books.inventoryDatabase, stockEvents, [imported.length]),
  };
  const watchers = [...ofOrders, ofStock].map((watched) =>
    starting.use(startWatcher(watched, random.fork(watched.name))),
  );
  await Promise.all(watchers.map(({ standing }) => standing));
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
  /** It will see all that happens from then on. */
  readonly standing: Promise<void>;
  errors(): Promise<string[]>;
}

function startWatcher({ name, watch, happened }: Watched, random: Random): Watcher {
  const stopped = new AbortController();
  const standing = Promise.withResolvers<void>();
  const seen: string[] = [];
  let resumeToken = '';
  const live = async () => {
    const life = AbortSignal.timeout(random.int(lifeMs.least, lifeMs.most));
    try {
      for await (const response of watch(resumeToken, AbortSignal.any([stopped.signal, life]))) {
        resumeToken = response.resumeToken;
        if (response.event !== undefined) seen.push(response.event);
        standing.resolve();
      }
    } catch (error) {
      if (!life.aborted && !stopped.signal.aborted) throw error;
    }
  };
  const watching = (async () => {
    while (!stopped.signal.aborted) await live();
  })();
  let ended: string | undefined;
  watching.catch((error) => {
    ended = `${name} ended with ${error}`;
    standing.reject(error);
  });
  return {
    standing: standing.promise,
    errors: async () => {
      const wanted = await happened();
      const endMs = performance.now() + patienceMs;
      while (seen.length < wanted.length && ended === undefined && performance.now() < endMs) await sleep(20);
      // What is told twice would come now, to whoever resumes.
      await sleep(lifeMs.most);
      return [...(ended === undefined ? [] : [ended]), ...watchErrors(name, seen, wanted)];
    },
    [Symbol.asyncDispose]: async () => {
      stopped.abort();
      await watching.catch(() => {});
    },
  };
}
