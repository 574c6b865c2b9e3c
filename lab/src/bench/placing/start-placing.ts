import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { startEmbedded } from '@acme/postgres/embedded';
import { setStock } from '../../harness/stock.ts';
import { openTemporaryFolder } from '../../harness/temporary-folder.ts';
import { startPair } from '../../pair/pair.ts';
import type { OrderOutcome, OrderTask } from './order-load.ts';
import { type Pgbench, preparePgbench } from './pgbench.ts';
import { skuCount, skuOf } from './popularity.ts';

/** A pair and pgbench, each on its own PostgreSQL server with the same settings. */
export interface Placing extends AsyncDisposable {
  place(load: Pick<OrderTask, 'callers' | 'perSecond' | 'seconds'>): Promise<OrderOutcome>;
  pgbench: Pgbench['run'];
}

/** Starts both. @param hot Whether all orders are for one SKU. */
export async function startPlacing(hot: boolean): Promise<Placing> {
  await using starting = new AsyncDisposableStack();
  const folder = starting.use(await openTemporaryFolder('bench-place-'));
  const pair = starting.adopt(
    await startPair({ dataFolder: folder.path, ordersPort: 0, inventoryPort: 0, onStep: () => {} }),
    (pair) => pair.close(),
  );
  const units = Object.fromEntries(
    Array.from({ length: skuCount }, (_, index) => [skuOf(index + 1), 2_000_000_000] as const),
  );
  await setStock(pair, units);
  const token = await pair.token('bench', ['orders:write', 'orders:write:any']);

  const baseline = starting.use(await startEmbedded({ dataFolder: join(folder.path, 'pgbench') }));
  await baseline.ensureDatabase('pgbench');
  const pgbench = await preparePgbench({ url: baseline.url('pgbench'), folder: folder.path, hot });

  const load = fork(new URL('./order-load.ts', import.meta.url));
  starting.defer(() => load.disconnect());
  await once(load, 'message');
  const running = starting.move();
  return {
    place: async (task) => {
      load.send({ target: pair.ordersTarget, token, hot, ...task } satisfies OrderTask);
      const [outcome] = await once(load, 'message');
      return outcome;
    },
    pgbench: pgbench.run,
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}
