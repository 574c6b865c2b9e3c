import { join } from 'node:path';
import { startEmbedded } from '@acme/postgres/embedded';
import { readPostmasterPid } from '../../cluster/database-server.ts';
import { openTemporaryFolder } from '../../harness/temporary-folder.ts';
import { startPair } from '../../pair/pair.ts';
import { familyProcessorMs, processorMs } from '../turns/processor-time.ts';
import type { Processes } from '../turns/turns.ts';
import { type OrderLoad, startOrderLoad } from './order-load-process.ts';
import { type Pgbench, preparePgbench } from './pgbench.ts';

/** A pair and pgbench, each on its own PostgreSQL server with the same settings. */
export interface Placing extends AsyncDisposable {
  place: OrderLoad['place'];
  pgbench: Pgbench['run'];
  /** Every process that works for PlaceOrder. */
  readonly processes: Processes;
}

/** Starts both. @param hot Whether all orders are for one SKU. */
export async function startPlacing(hot: boolean): Promise<Placing> {
  await using starting = new AsyncDisposableStack();
  const folder = starting.use(await openTemporaryFolder('bench-place-'));
  const pair = starting.adopt(
    await startPair({ dataFolder: folder.path, ordersPort: 0, inventoryPort: 0, onStep: () => {} }),
    (pair) => pair.close(),
  );
  const baseline = starting.use(await startEmbedded({ dataFolder: join(folder.path, 'pgbench') }));
  await baseline.ensureDatabase('pgbench');
  const pgbench = await preparePgbench({ url: baseline.url('pgbench'), folder: folder.path, hot });
  const load = starting.use(await startOrderLoad({ ...pair, hot }));
  const processOf = (name: string) => pair.services.find((each) => each.name === name)?.process.pid ?? 0;
  const postgres = await readPostmasterPid(join(folder.path, 'postgres'));
  const running = starting.move();
  return {
    place: load.place,
    pgbench: pgbench.run,
    processes: {
      orders: () => processorMs(processOf('orders')),
      inventory: () => processorMs(processOf('inventory')),
      postgres: () => familyProcessorMs(postgres),
      callers: () => processorMs(load.pid),
    },
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}
