import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { audienceOf, developmentIssuer, openDevelopmentKeys } from '@acme/dev/credentials';
import { services, withCalledServices } from '@acme/dev/repository';
import { callVariables, freePort } from '@acme/dev/start';
import { openPool, type Pool } from '@acme/postgres/pool';
import { type FaultProxy, startFaultProxy } from '@acme/rpc/testing';
import type { Databases } from '../harness/invariants.ts';
import { type Pgbouncer, preparingPooler, startPgbouncer } from '../pooler/pgbouncer.ts';
import { type CallCounter, startCallCounter } from './call-counter.ts';
import { type DatabasePair, startDatabasePair } from './database-pair.ts';
import { type DatabaseServer, startDatabaseServer } from './database-server.ts';
import { makeReplica, type Replica, type ReplicaOptions } from './replica.ts';

/**
 * Orders and inventory as they run in production, up to two replicas of each, with a proxy on every connection, and one
 * replica of each other service that they call.
 */
export interface Cluster extends Databases, AsyncDisposable {
  /** Folder of the databases, logs and keys. */
  readonly folder: string;
  readonly database: DatabaseServer;
  /** The servers of services whose database has a standby, by the service's name. Empty without `standbys`. */
  readonly pairs: ReadonlyMap<string, DatabasePair>;
  readonly orders: readonly Replica[];
  readonly inventory: readonly Replica[];
  /** Databases of the other services that they call. */
  readonly otherDatabases: readonly Pool[];
  /** Proxies from each orders replica to each inventory replica: `links[0][1]` is from orders-1 to inventory-2. */
  readonly links: readonly (readonly FaultProxy[])[];
  /** One call counter in front of each inventory replica. */
  readonly counters: readonly CallCounter[];
  readonly ordersDatabase: Pool;
  readonly inventoryDatabase: Pool;
  /** The gRPC target that customers use: all orders replicas. */
  readonly ordersTarget: string;
  /** The gRPC target of all inventory replicas, without the faults of the links. */
  readonly inventoryTarget: string;
  /** Signs a token for the service that the scopes belong to. Valid for a day by default. */
  token(subject: string, scopes: readonly string[], ttlSeconds?: number): Promise<string>;
  /** Returns another replica on a new database, without a pooler. It is not started, and the caller disposes it. */
  spareReplica(service: Service, databaseName: string): Promise<Replica>;
}

export type Service = 'orders' | 'inventory';

export interface ClusterOptions {
  /** Returns the module URL of a service's main.ts: `file:///…/services/orders/src/main.ts`. Called for every start. */
  readonly main: (service: string) => string;
  /** Everything the cluster writes goes here. */
  readonly folder: string;
  /** NODE_COMPILE_CACHE of the services. It halves their start time. */
  readonly compileCache: string;
  readonly inventoryReplicas?: number;
  /** Whether PgBouncer in transaction mode is between the services and their databases. */
  readonly isPooled?: boolean;
  /** Whether the databases of orders and inventory are on servers of their own, each with a standby. */
  readonly standbys?: boolean;
  /** NODE_OPTIONS of the services. */
  readonly nodeOptions?: string;
  /** Further variables of the services. */
  readonly environment?: Readonly<Record<string, string>>;
}

/** Time for requests that arrived before the connections were severed to complete. */
const quietMs = 300;
const replicaNumbers = [1, 2];
/** Server connections of the pooler for each database. */
const poolSize = 20;
const daySeconds = 24 * 60 * 60;

/** Starts PostgreSQL, two orders replicas and one inventory replica (`inventoryReplicas`). */
export async function startCluster(options: ClusterOptions): Promise<Cluster> {
  await using started = new AsyncDisposableStack();
  const { folder } = options;
  await mkdir(join(folder, 'logs'), { recursive: true });
  const database = started.use(await startDatabaseServer(join(folder, 'postgres'), await freePort()));
  const entries = withCalledServices(services, ['orders', 'inventory']);
  const pairs = new Map<string, DatabasePair>();
  for (const name of options.standbys ? ['orders', 'inventory'] : [])
    pairs.set(name, started.use(await startDatabasePair(join(folder, `postgres-of-${name}`))));
  const serverOf = (name: string) => pairs.get(name) ?? database;
  for (const { name } of entries) await serverOf(name).ensureDatabase(name);
  const poolers = new Map<object, Pgbouncer>();
  for (const server of options.isPooled ? [database, ...pairs.values()] : [])
    poolers.set(server, started.use(await startPgbouncer(preparingPooler, server.url('postgres'), poolSize)));
  const open = (name: string) =>
    started.adopt(
      openPool({ url: serverOf(name).url(name), max: 4, applicationName: 'faults', onError: () => {} }),
      (pool) => pool.end(),
    );
  const ordersDatabase = open('orders');
  const inventoryDatabase = open('inventory');
  const keys = await openDevelopmentKeys(folder);
  const token: Cluster['token'] = (subject, scopes, ttlSeconds = daySeconds) =>
    keys.sign({ audience: audienceOf(scopes), subject, scopes, ttlSeconds });
  const targets: Record<string, string> = {};
  const urlsOf = (databaseName: string) => {
    const server = serverOf(databaseName);
    const databaseUrl = server.url(databaseName);
    return { databaseUrl, poolerUrl: poolers.get(server)?.urlOf(databaseUrl) };
  };
  const make = async (
    name: string,
    service: string,
    urls: Pick<ReplicaOptions, 'databaseUrl' | 'poolerUrl'>,
    inventoryTarget: string,
  ) => {
    const entry = entries.find((each) => each.name === service) ?? { name: service, calls: {} };
    const reached = { ...targets, inventory: inventoryTarget };
    return makeReplica({
      name,
      main: () => options.main(service),
      port: await freePort(),
      webPort: await freePort(),
      ...urls,
      logFile: join(folder, 'logs', `${name}.log`),
      environment: {
        AUTH_JWKS: keys.jwksFile,
        AUTH_ISSUER: developmentIssuer,
        AUTH_AUDIENCE: service,
        ...(await callVariables(entry, { dataFolder: folder, targets: reached, keys })),
        NODE_OPTIONS: options.nodeOptions ?? '',
        ...options.environment,
        NODE_COMPILE_CACHE: options.compileCache,
      },
    });
  };
  const inventory: Replica[] = [];
  const counters: CallCounter[] = [];
  for (const number of replicaNumbers.slice(0, options.inventoryReplicas ?? 1)) {
    const replica = started.use(await make(`inventory-${number}`, 'inventory', urlsOf('inventory'), ''));
    inventory.push(replica);
    counters.push(started.use(await startCallCounter({ host: '127.0.0.1', port: replica.front.port })));
  }
  const others: Replica[] = [];
  for (const { name } of entries.filter((each) => !['orders', 'inventory'].includes(each.name))) {
    const replica = started.use(await make(name, name, urlsOf(name), targetOf(counters)));
    targets[name] = targetOf([replica.front]);
    others.push(replica);
  }
  const orders: Replica[] = [];
  const links: FaultProxy[][] = [];
  for (const number of replicaNumbers) {
    const toInventory: FaultProxy[] = [];
    for (const { port } of counters)
      toInventory.push(started.use(await startFaultProxy({ target: { host: '127.0.0.1', port } })));
    links.push(toInventory);
    orders.push(
      started.use(await make(`orders-${number}`, 'orders', urlsOf('orders'), targetOf(toInventory))),
    );
  }
  // The first replica of each service to start migrates its database.
  await Promise.all([...inventory, ...others, ...orders].map((replica) => replica.start()));
  const otherDatabases = others.map(({ name }) => open(name));
  const running = started.move();
  return {
    folder,
    database,
    pairs,
    orders,
    inventory,
    links,
    counters,
    ordersDatabase,
    inventoryDatabase,
    otherDatabases,
    ordersTarget: targetOf(orders.map(({ front }) => front)),
    inventoryTarget: targetOf(inventory.map(({ front }) => front)),
    token,
    spareReplica: async (service, databaseName) => {
      await database.ensureDatabase(databaseName);
      return make(databaseName, service, { databaseUrl: database.url(databaseName) }, targetOf(counters));
    },
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

/** Ends all faults and starts every process that is down. */
export async function healCluster(cluster: Cluster): Promise<void> {
  const { database, pairs, orders, inventory, links } = cluster;
  database.resume();
  await database.start();
  for (const pair of pairs.values()) await pair.heal();
  for (const proxy of links.flat()) proxy.heal();
  await Promise.all(
    [...inventory, ...orders].map(async (replica) => {
      await replica.statements.disarm();
      replica.databaseLink.heal();
      replica.front.heal();
      replica.resume();
      if (replica.pid === undefined) await replica.start();
    }),
  );
}

/** Deletes all orders, stock and data of the other services, and severs all connections, so that no request of the last scenario is still on its way. */
export async function emptyDatabases({
  ordersDatabase,
  inventoryDatabase,
  otherDatabases,
  orders,
  links,
}: Cluster): Promise<void> {
  for (const proxy of [...orders.map(({ front }) => front), ...links.flat()]) proxy.severAll();
  await sleep(quietMs);
  for (const pool of [ordersDatabase, inventoryDatabase, ...otherDatabases]) {
    const { rows } = await pool.query<{ tables: string }>(
      `SELECT string_agg(quote_ident(tablename), ', ') AS tables FROM pg_tables
       WHERE schemaname = 'public' AND tablename NOT IN ('schema_migrations', 'service_keys', 'change_feeds')`,
    );
    if (rows[0]?.tables) await pool.query(`TRUNCATE ${rows[0].tables}`);
  }
}

function targetOf(proxies: readonly { readonly port: number }[]): string {
  return `ipv4:${proxies.map(({ port }) => `127.0.0.1:${port}`).join(',')}`;
}
