import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  audienceOf,
  developmentIssuer,
  openDevelopmentKeys,
  writeWhole,
} from '@acme/dev/certs/development-keys';
import { freePort } from '@acme/dev/start/free-port';
import { openPool, type Pool } from '@acme/postgres/pool/pool';
import { type FaultProxy, startFaultProxy } from '@acme/rpc/testing/network/fault-proxy';
import type { Books } from '../harness/invariants.ts';
import { type CallCounter, startCallCounter } from './call-counter.ts';
import { type DatabaseServer, startDatabaseServer } from './database-server.ts';
import { makeReplica, type Replica } from './replica.ts';

/** A pair of services as it is in production, two replicas of each if needed, with a proxy on every connection. */
export interface Rig extends Books, AsyncDisposable {
  /** Its data, logs and keys. */
  readonly folder: string;
  readonly database: DatabaseServer;
  readonly orders: readonly Replica[];
  readonly inventory: readonly Replica[];
  /** From each replica of orders to each of inventory: `links[0][1]` from the first to the second. */
  readonly links: readonly (readonly FaultProxy[])[];
  /** In front of each replica of inventory. */
  readonly counters: readonly CallCounter[];
  readonly ordersDatabase: Pool;
  readonly inventoryDatabase: Pool;
  /** What customers call: all replicas of orders. */
  readonly ordersTarget: string;
  /** Signs a token for the one service that the scopes are of. */
  token(subject: string, scopes: readonly string[], ttlSeconds?: number): Promise<string>;
  /** One more replica, on a database of its own, not started. Whoever makes it disposes of it. */
  spare(service: Service, databaseName: string): Promise<Replica>;
}

export type Service = 'orders' | 'inventory';

export interface RigOptions {
  /** Where the services' main.ts are, as a module's URL: `file:///…/services/orders/src/main.ts`. */
  readonly main: (service: Service) => string;
  /** For all that it writes. */
  readonly folder: string;
  /** Where Node keeps what it has compiled: services start in half the time. */
  readonly compileCache: string;
  readonly inventoryReplicas?: number;
  /** Node's own, of the services' processes. */
  readonly nodeOptions?: string;
}

/** What had arrived by the end of a row is done by then. */
const quietMs = 300;
const replicaNumbers = [1, 2];
const daySeconds = 24 * 60 * 60;

/** Starts the database, two replicas of orders and, unless told otherwise, one of inventory. */
export async function startRig(options: RigOptions): Promise<Rig> {
  await using started = new AsyncDisposableStack();
  const { folder } = options;
  await mkdir(join(folder, 'logs'), { recursive: true });
  const database = started.use(await startDatabaseServer(join(folder, 'postgres'), await freePort()));
  await database.ensureDatabase('orders');
  await database.ensureDatabase('inventory');
  const open = (name: string) =>
    started.adopt(
      openPool({ url: database.url(name), max: 4, applicationName: 'faults', onError: () => {} }),
      (pool) => pool.end(),
    );
  const ordersDatabase = open('orders');
  const inventoryDatabase = open('inventory');
  const keys = await openDevelopmentKeys(folder);
  const token: Rig['token'] = (subject, scopes, ttlSeconds = daySeconds) =>
    keys.sign({ audience: audienceOf(scopes), subject, scopes, ttlSeconds });
  const tokenFile = join(folder, 'keys', 'orders.token');
  await writeWhole(tokenFile, await token('orders', ['inventory:reserve']), 0o600);

  const make = async (name: string, service: Service, databaseName: string, inventoryTarget: string) =>
    makeReplica({
      name,
      main: options.main(service),
      port: await freePort(),
      databaseUrl: database.url(databaseName),
      logFile: join(folder, 'logs', `${name}.log`),
      environment: {
        AUTH_JWKS: keys.jwksFile,
        AUTH_ISSUER: developmentIssuer,
        AUTH_AUDIENCE: service,
        // Of these only orders takes notice.
        INVENTORY_TARGET: inventoryTarget,
        AUTH_TOKEN_FILE: tokenFile,
        NODE_OPTIONS: options.nodeOptions ?? '',
        NODE_COMPILE_CACHE: options.compileCache,
      },
    });
  const inventory: Replica[] = [];
  const counters: CallCounter[] = [];
  for (const number of replicaNumbers.slice(0, options.inventoryReplicas ?? 1)) {
    const replica = started.use(await make(`inventory-${number}`, 'inventory', 'inventory', ''));
    inventory.push(replica);
    counters.push(started.use(await startCallCounter({ host: '127.0.0.1', port: replica.front.port })));
  }
  const orders: Replica[] = [];
  const links: FaultProxy[][] = [];
  for (const number of replicaNumbers) {
    const toInventory: FaultProxy[] = [];
    for (const { port } of counters)
      toInventory.push(started.use(await startFaultProxy({ target: { host: '127.0.0.1', port } })));
    links.push(toInventory);
    orders.push(started.use(await make(`orders-${number}`, 'orders', 'orders', targetOf(toInventory))));
  }
  // The schema is made by whoever comes first.
  await Promise.all([...inventory, ...orders].map((replica) => replica.start()));
  const running = started.move();
  return {
    folder,
    database,
    orders,
    inventory,
    links,
    counters,
    ordersDatabase,
    inventoryDatabase,
    ordersTarget: targetOf(orders.map(({ front }) => front)),
    token,
    spare: async (service, databaseName) => {
      await database.ensureDatabase(databaseName);
      return make(databaseName, service, databaseName, targetOf(counters));
    },
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

/** Ends all faults, and starts what is down. */
export async function healRig({ database, orders, inventory, links }: Rig): Promise<void> {
  database.thaw();
  await database.start();
  for (const proxy of links.flat()) proxy.heal();
  await Promise.all(
    [...inventory, ...orders].map(async (replica) => {
      await replica.statements.disarm();
      replica.databaseLine.heal();
      replica.front.heal();
      replica.signal('SIGCONT');
      if (replica.pid === undefined) await replica.start();
    }),
  );
}

/** Forgets all orders and all stock: a row begins with empty books, and without what the last one left on the lines. */
export async function emptyBooks({ ordersDatabase, inventoryDatabase, orders, links }: Rig): Promise<void> {
  for (const line of [...orders.map(({ front }) => front), ...links.flat()]) line.severAll();
  await sleep(quietMs);
  for (const pool of [ordersDatabase, inventoryDatabase]) {
    const { rows } = await pool.query<{ tables: string }>(
      `SELECT string_agg(quote_ident(tablename), ', ') AS tables FROM pg_tables
       WHERE schemaname = 'public' AND tablename NOT IN ('schema_migrations', 'service_keys', 'change_feeds')`,
    );
    await pool.query(`TRUNCATE ${rows[0]?.tables}`);
  }
}

function targetOf(proxies: readonly { readonly port: number }[]): string {
  return `ipv4:${proxies.map(({ port }) => `127.0.0.1:${port}`).join(',')}`;
}
