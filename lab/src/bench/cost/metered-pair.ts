import type { ChildProcess } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { audienceOf, developmentIssuer, openDevelopmentKeys } from '@acme/dev/credentials';
import { services } from '@acme/dev/repository';
import { callVariables, freePort, startServiceProcess } from '@acme/dev/start';
import { processorMs } from '../turns/processor-time.ts';
import { type MeteredDatabase, startMeteredDatabase } from './metered-database.ts';

export const serviceNames = ['orders', 'inventory'] as const;
export type ServiceName = (typeof serviceNames)[number];

export interface MeteredService {
  readonly target: string;
  readonly database: MeteredDatabase;
  /** Returns the processor times since the start. */
  readProcessors(): Promise<{ readonly processMs: number; readonly databaseMs: number }>;
}

/** One replica of each service, each on a PostgreSQL server of its own, as they run when the pair outgrows a machine. */
export interface MeteredPair extends AsyncDisposable {
  readonly services: Readonly<Record<ServiceName, MeteredService>>;
  token(subject: string, scopes: readonly string[]): Promise<string>;
}

export async function startMeteredPair(folder: string): Promise<MeteredPair> {
  await using starting = new AsyncDisposableStack();
  await mkdir(join(folder, 'logs'), { recursive: true });
  const keys = await openDevelopmentKeys(folder);
  const targets: Record<string, string> = {};
  const start = async (name: ServiceName): Promise<MeteredService> => {
    const database = starting.use(await startMeteredDatabase(join(folder, `postgres-${name}`), name));
    const target = `127.0.0.1:${await freePort()}`;
    const { calls } = services.find((each) => each.name === name) ?? { calls: {} };
    const called = await callVariables({ name, calls }, { dataFolder: folder, targets, keys });
    let child: ChildProcess | undefined;
    starting.defer(() => void child?.kill('SIGKILL'));
    await startServiceProcess({
      name,
      main: import.meta.resolve(`@acme/${name}/main`),
      listenAddress: target,
      logFile: join(folder, 'logs', `${name}.log`),
      environment: {
        DATABASE_URL: database.url,
        AUTH_JWKS: keys.jwksFile,
        AUTH_ISSUER: developmentIssuer,
        AUTH_AUDIENCE: name,
        ...called,
      },
      onSpawn: (spawned) => {
        child = spawned;
      },
    });
    targets[name] = target;
    const pid = child?.pid ?? 0;
    return {
      target,
      database,
      readProcessors: async () => ({
        processMs: await processorMs(pid),
        databaseMs: await database.readProcessorMs(),
      }),
    };
  };
  const inventory = await start('inventory');
  const orders = await start('orders');
  const running = starting.move();
  return {
    services: { orders, inventory },
    token: (subject, scopes) =>
      keys.sign({ audience: audienceOf(scopes), subject, scopes, ttlSeconds: 24 * 60 * 60 }),
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}
