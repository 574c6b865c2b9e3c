import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { audienceOf, developmentIssuer, openDevelopmentKeys } from '@acme/dev/credentials';
import { services, withCalledServices } from '@acme/dev/repository';
import { callVariables, freePort } from '@acme/dev/start';
import { openPool, type Pool } from '@acme/postgres/pool';
import { type BaseBackup, restoreBackup, takeBackup } from '../cluster/base-backup.ts';
import { type DatabaseServer, startDatabaseServer } from '../cluster/database-server.ts';
import { makeReplica, type Replica } from '../cluster/replica.ts';
import type { Databases } from '../harness/invariants.ts';

export type Service = 'orders' | 'inventory';

/** A service with a database server of its own, both as processes. */
interface RestorableService {
  readonly replica: Replica;
  readonly database: Pool;
  backUp(): Promise<BaseBackup>;
  /** Kills the service and its server. */
  kill(): Promise<void>;
  /** Deletes the data of the killed server, restores the backup and starts both. */
  restore(backup: BaseBackup): Promise<void>;
}

/** Orders and inventory, whose databases are backed up and restored separately. */
export interface RestorablePair extends Databases, AsyncDisposable {
  readonly orders: RestorableService;
  readonly inventory: RestorableService;
  readonly ordersTarget: string;
  readonly inventoryTarget: string;
  token(subject: string, scopes: readonly string[]): Promise<string>;
}

const hourSeconds = 60 * 60;

/** Starts both services. Everything they write is in `folder`. */
export async function startRestorablePair(folder: string): Promise<RestorablePair> {
  await using started = new AsyncDisposableStack();
  await mkdir(join(folder, 'logs'), { recursive: true });
  const keys = await openDevelopmentKeys(folder);
  const entries = withCalledServices(services, ['orders', 'inventory']);
  const targets: Record<string, string> = {};
  const start = async (name: string) => {
    const dataFolder = join(folder, `${name}-database`);
    const server = started.use(await startDatabaseServer(dataFolder, await freePort()));
    await server.ensureDatabase(name);
    const entry = entries.find((each) => each.name === name) ?? { name, calls: {} };
    const replica = started.use(
      await makeReplica({
        name,
        main: () => import.meta.resolve(`@acme/${name}/main`),
        port: await freePort(),
        webPort: await freePort(),
        databaseUrl: server.url(name),
        logFile: join(folder, 'logs', `${name}.log`),
        environment: {
          AUTH_JWKS: keys.jwksFile,
          AUTH_ISSUER: developmentIssuer,
          AUTH_AUDIENCE: name,
          ...(await callVariables(entry, { dataFolder: folder, targets, keys })),
        },
      }),
    );
    targets[name] = `127.0.0.1:${replica.front.port}`;
    await replica.start();
    const database = started.adopt(
      openPool({ url: server.url(name), max: 4, applicationName: 'restore', onError: () => {} }),
      (pool) => pool.end(),
    );
    return restorable({ server, dataFolder, replica, database, backups: join(folder, `${name}-backup`) });
  };
  const running = new Map<string, RestorableService>();
  for (const { name } of entries) running.set(name, await start(name));
  const serviceOf = (name: Service) => running.get(name) as RestorableService;
  const [orders, inventory] = [serviceOf('orders'), serviceOf('inventory')];
  const kept = started.move();
  return {
    orders,
    inventory,
    ordersDatabase: orders.database,
    inventoryDatabase: inventory.database,
    ordersTarget: targets.orders ?? '',
    inventoryTarget: targets.inventory ?? '',
    token: (subject, scopes) =>
      keys.sign({ audience: audienceOf(scopes), subject, scopes, ttlSeconds: hourSeconds }),
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}

interface RestorableParts {
  readonly server: DatabaseServer;
  readonly dataFolder: string;
  readonly replica: Replica;
  readonly database: Pool;
  readonly backups: string;
}

function restorable({ server, dataFolder, replica, database, backups }: RestorableParts): RestorableService {
  return {
    replica,
    database,
    backUp: () => takeBackup({ dataFolder, url: server.url('postgres') }, backups),
    kill: async () => {
      await Promise.all([replica.kill(), server.kill()]);
      // Gives up the folder.
      await server.stop();
    },
    restore: async (backup) => {
      await restoreBackup(backup, dataFolder);
      await server.start();
      await replica.start();
    },
  };
}
