import { fork } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { chmod, mkdtempDisposable } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startEmbedded } from '@acme/postgres/embedded/embedded';
import { startPair } from '../../pair/pair.ts';
import { importStock } from '../../pair/stock.ts';
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
  const folder = starting.use(await mkdtempDisposable(join(tmpdir(), 'bench-place-')));
  // As root, PostgreSQL runs as another user, who must be able to enter the folder.
  await chmod(folder.path, 0o711);
  const pair = starting.adopt(
    await startPair({ dataFolder: folder.path, ordersPort: 0, inventoryPort: 0, onStep: () => {} }),
    (pair) => pair.close(),
  );
  const units = new Map(
    Array.from({ length: skuCount }, (_, index) => [skuOf(index + 1), 2_000_000_000] as const),
  );
  await importStock(pair, randomUUID(), units);
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
