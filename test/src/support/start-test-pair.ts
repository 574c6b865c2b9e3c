import { randomUUID } from 'node:crypto';
import { mkdtempDisposable, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { InventoryService } from '@acme/gen/inventory/v1/inventory_service_pb';
import { OrderService } from '@acme/gen/orders/v1/order_service_pb';
import { type App as InventoryApp, startApp as startInventory } from '@acme/inventory/app';
import { type App as OrdersApp, startApp as startOrders } from '@acme/orders/app';
import type { Pool } from '@acme/postgres/pool';
import { createTestDatabase, openTestPool } from '@acme/postgres/testing';
import { type Client, createClient } from '@acme/rpc/client';
import { createSigningKeys, issuer, testServerConfig } from '@acme/rpc/testing';
import { retentions } from './retention.ts';

export interface Clients {
  readonly orders: Client<typeof OrderService>;
  readonly inventory: Client<typeof InventoryService>;
}

/** Both services in this process, with real sockets, each on its own database. */
export interface TestPair extends AsyncDisposable {
  /** Targets of the replicas of orders. */
  readonly ordersTargets: readonly string[];
  readonly inventoryTarget: string;
  /** Databases, for assertions and for locks. */
  readonly ordersDatabase: Pool;
  readonly inventoryDatabase: Pool;
  /** Signs a token whose audiences are the services of the scopes. `claims` overrides other claims. */
  token(subject: string, scopes: readonly string[], claims?: Record<string, unknown>): Promise<string>;
  /** Creates clients with a token of the subject. @param replica Index of the replica of orders to call. */
  clientsFor(subject: string, scopes?: readonly string[], replica?: number): Promise<Clients>;
  /** Imports items with these units on hand, by SKU. */
  setStock(units: Readonly<Record<string, number>>): Promise<void>;
  /** Stops inventory, so that connections to its port are refused. */
  stopInventory(): Promise<void>;
  /** Starts inventory again on the same port. */
  restartInventory(): Promise<void>;
  /** Drains the replica of orders, and starts it again on the same port. */
  restartOrders(replica: number): Promise<void>;
}

export interface TestPairOptions {
  /** Number of replicas of orders, which share a database. */
  readonly ordersReplicas?: number;
  /** Returns the target that orders uses for inventory, such as a proxy's, from inventory's own target. */
  readonly reachInventory?: (target: string) => Promise<string>;
  /** Returns the URL that a service uses for its database, such as a pooler's, from the database's own URL. */
  readonly reachDatabase?: (url: string) => Promise<string>;
  /** Returns a transaction pooler's URL of a database. Without it the services connect directly. */
  readonly poolDatabase?: (url: string) => string;
}

/** Scopes of a customer's token. */
const customerScopes = ['orders:read', 'orders:write', 'inventory:read'];

export async function startTestPair(options: TestPairOptions = {}): Promise<TestPair> {
  const { ordersReplicas = 1 } = options;
  const { reachInventory = async (target) => target, reachDatabase = async (url) => url } = options;
  const { poolDatabase = (url) => url } = options;
  await using started = new AsyncDisposableStack();
  const keys = started.use(await createSigningKeys());
  const folder = started.use(await mkdtempDisposable(join(tmpdir(), 'test-pair-')));
  const inventoryUrl = started.use(await createTestDatabase()).url;
  const ordersUrl = started.use(await createTestDatabase()).url;
  const inventoryDatabase = started.use(openTestPool({ url: inventoryUrl, max: 16 }));
  const ordersDatabase = started.use(openTestPool({ url: ordersUrl, max: 16 }));

  const reachedInventoryUrl = await reachDatabase(inventoryUrl);
  const reachedOrdersUrl = await reachDatabase(ordersUrl);

  const server = (audience: string, port: number) =>
    testServerConfig({
      listenAddress: `127.0.0.1:${port}`,
      auth: { jwks: keys.jwks, issuer, audience, clockToleranceSeconds: 5 },
    });
  let inventoryApp: InventoryApp | undefined;
  const startInventoryOn = async (port: number) => {
    inventoryApp = await startInventory({
      server: server('inventory', port),
      databaseUrl: poolDatabase(reachedInventoryUrl),
      databaseDirectUrl: reachedInventoryUrl,
      ...retentions,
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
      databaseUrl: poolDatabase(reachedOrdersUrl),
      databaseDirectUrl: reachedOrdersUrl,
      ...retentions,
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

/** Returns the services of the scopes. A service accepts only its own name as audience. Tests use one token for both. */
function audiencesOf(scopes: readonly string[]): string[] {
  return [...new Set(scopes.map((scope) => scope.replace(/:.*/, '')))];
}
