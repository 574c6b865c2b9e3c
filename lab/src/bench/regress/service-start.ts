import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { developmentIssuer, openDevelopmentKeys } from '@acme/dev/credentials';
import { freePort, startServiceProcess } from '@acme/dev/start';
import { startEmbedded } from '@acme/postgres/embedded';
import { openTemporaryFolder } from '../../harness/temporary-folder.ts';
import { processorMs } from '../turns/processor-time.ts';
import type { Contender, Work } from '../turns/turns.ts';

/** Starts inventory, which calls no other service, from its sources. Each checkout has a migrated database of its own. */
export interface ServiceStarts extends AsyncDisposable {
  /**
   * Returns a contender whose turn is one start, until it is SERVING.
   *
   * @param main URL of the service's main.ts.
   */
  contender<Name extends string>(name: Name, main: string): Promise<Contender<Name, Work>>;
}

export async function prepareServiceStarts(): Promise<ServiceStarts> {
  await using preparing = new AsyncDisposableStack();
  const folder = preparing.use(await openTemporaryFolder('bench-regress-start-'));
  const database = preparing.use(await startEmbedded({ dataFolder: join(folder.path, 'postgres') }));
  const keys = await openDevelopmentKeys(folder.path);
  const prepared = preparing.move();
  return {
    contender: async (name, main) => {
      await database.ensureDatabase(name);
      let usedMs = 0;
      const start = async (): Promise<Work> => {
        const startMs = performance.now();
        const child = Promise.withResolvers<ChildProcess>();
        await startServiceProcess({
          name: 'inventory',
          main,
          listenAddress: `127.0.0.1:${await freePort()}`,
          logFile: join(folder.path, `${name}.log`),
          environment: {
            DATABASE_URL: database.url(name),
            AUTH_JWKS: keys.jwksFile,
            AUTH_ISSUER: developmentIssuer,
            AUTH_AUDIENCE: 'inventory',
          },
          onSpawn: child.resolve,
        });
        const seconds = (performance.now() - startMs) / 1000;
        const started = await child.promise;
        usedMs += await processorMs(started.pid ?? 0);
        started.kill('SIGKILL');
        await once(started, 'exit');
        return { count: 1, perSecond: 1 / seconds };
      };
      // Migrates the database, and reads every file from disk.
      await start();
      return { name, work: start, processes: { inventory: async () => usedMs } };
    },
    [Symbol.asyncDispose]: () => prepared.disposeAsync(),
  };
}
