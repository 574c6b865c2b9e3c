import { randomUUID } from 'node:crypto';
import { mkdtempDisposable, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { InventoryService } from '@acme/gen/inventory/v1/inventory_service_pb';
import { OrderService } from '@acme/gen/orders/v1/order_service_pb';
import { type App as InventoryApp, startApp as startInventory } from '@acme/inventory/app';
import { type App as OrdersApp, startApp as startOrders } from '@acme/orders/app';
import { openPool, type Pool } from '@acme/postgres/pool/pool';
import { createTestDatabase } from '@acme/postgres/testing/test-database';
import { type Client, createClient } from '@acme/rpc/client/create-client';
import type { ServerConfig } from '@acme/rpc/server/server-config';
import { issuer, makeSigningKeys } from '@acme/rpc/testing/certificates/signing-keys';

export interface Clients {
  readonly orders: Client<typeof OrderService>;
  readonly inventory: Client<typeof InventoryService>;
}

/** Both real apps in this process, behind real sockets, each on a database of its own. */
export interface TestPair extends AsyncDisposable {
  /** Of each replica of orders. */
  readonly ordersTargets: readonly string[];
  readonly inventoryTarget: string;
  /** For looking at the books, and for holding locks. */
  readonly ordersDatabase: Pool;
  readonly inventoryDatabase: Pool;
  /** Signs a token for the services that the scopes are of. `claims` replaces its other claims. */
  token(subject: string, scopes: readonly string[], claims?: Record<string, unknown>): Promise<string>;
  /** Clients that show the subject's token. @param replica Which orders to call. */
  clientsFor(subject: string, scopes?: readonly string[], replica?: number): Promise<Clients>;
  /** Imports these articles, by SKU; how many units of each. */
  setStock(units: Readonly<Record<string, number>>): Promise<void>;
  /** Inventory is gone: nobody listens on its port. */
  stopInventory(): Promise<void>;
  /** Inventory listens again, on the same port. */
  restartInventory(): Promise<void>;
  /** Drains this replica of orders, and starts it again on the same port. */
  restartOrders(replica: number): Promise<void>;
}

export interface TestPairOptions {
  /** Replicas of orders, which share a database. */
  readonly ordersReplicas?: number;
  /** Where orders finds inventory, from where it is: a proxy's address. Where it is, when absent. */
  readonly reachInventory?: (target: string) => Promise<string>;
  /** The URL by which a service reaches its database, from its own: a pooler's. Its own, when absent. */
  readonly reachDatabase?: (url: string) => Promise<string>;
}

/** What a customer's token allows. */
const customerScopes = ['orders:read', 'orders:write', 'inventory:read'];

export async function startTestPair(options: TestPairOptions = {}): Promise<TestPair> {
  const { ordersReplicas = 1 } = options;
  const { reachInventory = async (target) => target, reachDatabase = async (url) => url } = options;
  // Undone in reverse, whatever of it had been started.
  await using started = new AsyncDisposableStack();
  const keys = started.use(await makeSigningKeys());
  const folder = started.use(await mkdtempDisposable(join(tmpdir(), 'test-pair-')));
  const inventoryUrl = started.use(await createTestDatabase()).url;
  const ordersUrl = started.use(await createTestDatabase()).url;
  const inventoryDatabase = started.adopt(openTestPool(inventoryUrl), (pool) => pool.end());
  const ordersDatabase = started.adopt(openTestPool(ordersUrl), (pool) => pool.end());

  const reachedInventoryUrl = await reachDatabase(inventoryUrl);
  const reachedOrdersUrl = await reachDatabase(ordersUrl);

  const server = (audience: string, port: number): ServerConfig => ({
    listenAddress: `127.0.0.1:${port}`,
    deadlineMode: 'default',
    auth: { jwks: keys.jwks, issuer, audience, clockToleranceSeconds: 5 },
    peers: new Map(),
    traceContext: 'peers',
    tls: undefined,
    drainTimeoutMs: 2000,
    logLevel: 'silent',
    production: false,
  });
  let inventoryApp: InventoryApp | undefined;
  const startInventoryOn = async (port: number) => {
    inventoryApp = await startInventory({
      server: server('inventory', port),
      databaseUrl: reachedInventoryUrl,
    });
    return inventoryApp.port;
  };
  const stopInventory = async () => {
    await inventoryApp?.close();
    inventoryApp = undefined;
  };
  const inventoryPort = await startInventoryOn(0);
  started.defer(stopInventory);
  const inventoryTarget = `127.0.0.1:${inventoryPort}`;

  const token: TestPair['token'] = (sub, scopes, claims) =>
    keys.sign({ sub, aud: audiencesOf(scopes), scope: scopes.join(' '), ...claims });
  const tokenFile = join(folder.path, 'orders.token');
  await writeFile(tokenFile, await token('orders', ['inventory:reserve']));
  const reachedTarget = await reachInventory(inventoryTarget);
  const ordersApps: OrdersApp[] = [];
  const startOrdersOn = (port: number) =>
    startOrders({
      server: server('orders', port),
      databaseUrl: reachedOrdersUrl,
      inventoryTarget: reachedTarget,
      tokenFile,
    });
  started.defer(async () => void (await Promise.all(ordersApps.map((app) => app.close()))));
  for (let replica = 0; replica < ordersReplicas; replica++) ordersApps.push(await startOrdersOn(0));
  const ordersTargets = ordersApps.map(({ port }) => `127.0.0.1:${port}`);
  const restartOrders = async (replica: number) => {
    const [stopping] = ordersApps.splice(replica, 1);
    await stopping?.close();
    ordersApps.splice(replica, 0, await startOrdersOn(stopping?.port ?? 0));
  };

  const clientsFor: TestPair['clientsFor'] = async (subject, scopes = customerScopes, replica = 0) => {
    const shown = await token(subject, scopes);
    const clientOptions = (target: string) => ({ target, token: () => shown });
    return {
      orders: running.use(createClient(OrderService, clientOptions(ordersTargets[replica] ?? ''))),
      inventory: running.use(createClient(InventoryService, clientOptions(inventoryTarget))),
    };
  };
  const running = started.move();
  return {
    ordersTargets,
    inventoryTarget,
    ordersDatabase,
    inventoryDatabase,
    token,
    clientsFor,
    setStock: async (units) => {
      const importId = randomUUID();
      const { inventory } = await clientsFor('warehouse', ['inventory:write']);
      await inventory.importStock(
        Object.entries(units).map(([sku, count]) => ({
          importId,
          item: { sku, title: sku, onHand: BigInt(count) },
        })),
      );
    },
    stopInventory,
    restartInventory: async () => void (await startInventoryOn(inventoryPort)),
    restartOrders,
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

/** Each service accepts its own name alone as an audience. Tests show one token to both. */
function audiencesOf(scopes: readonly string[]): string[] {
  return [...new Set(scopes.map((scope) => scope.replace(/:.*/, '')))];
}

function openTestPool(url: string): Pool {
  return openPool({ url, max: 16, applicationName: 'test', onError: () => {} });
}
