import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { services, targetOf } from '@acme/dev/repository';
import { freePort, startServices } from '@acme/dev/start';
import { InventoryService } from '@acme/gen/inventory/v1/inventory_service_pb';
import { OrderService } from '@acme/gen/orders/v1/order_service_pb';
import { console as consoleEntry } from '@acme/lab/console';
import { makeTemporaryFolder } from '@acme/lab/harness/temporary-folder';
import { type Client, createClient } from '@acme/rpc/client';
import { watchedCustomers } from '../server/session/watched-customers.ts';

/** The services with their console, as `npm start` starts them, and clients that call them directly. */
export interface RunningConsole extends AsyncDisposable {
  readonly url: string;
  readonly orders: Client<typeof OrderService>;
  readonly inventory: Client<typeof InventoryService>;
  /** The customers whose orders the page watches. */
  readonly customers: readonly string[];
}

export async function startConsole(): Promise<RunningConsole> {
  await using started = new AsyncDisposableStack();
  const folder = await makeTemporaryFolder('console-');
  started.defer(() => rm(folder, { recursive: true, force: true }));
  const dataFolder = join(folder, 'data');
  const served = started.use(await consoleEntry.open({ port: await freePort(0), dataFolder }));
  const anyPorts = Object.fromEntries(services.map(({ name }) => [name, 0]));
  const running = await startServices({
    dataFolder,
    services,
    ports: anyPorts,
    webPorts: anyPorts,
    console: served,
    onStep: () => {},
  });
  started.defer(() => running.close());
  started.defer(() => served.detach());
  for (const service of services)
    await service.seed?.({ ...running, target: targetOf(running, service.name) });
  served.attach(running);
  const orderScopes = ['orders:read', 'orders:write', 'orders:read:any', 'orders:write:any'];
  const [ordersToken, inventoryToken] = await Promise.all([
    running.token('tester', orderScopes),
    running.token('tester', ['inventory:read']),
  ]);
  const orders = started.use(
    createClient(OrderService, { target: targetOf(running, 'orders'), token: () => ordersToken }),
  );
  const inventory = started.use(
    createClient(InventoryService, { target: targetOf(running, 'inventory'), token: () => inventoryToken }),
  );
  const kept = started.move();
  return {
    url: served.url,
    orders,
    inventory,
    customers: watchedCustomers,
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}
