import { join } from 'node:path';
import { integer, parseCommandLine, text } from '@acme/dev/cli';
import { removeEndedReservations } from '@acme/inventory/stock/ended-reservations';
import { createPlacementStore, orderRequests } from '@acme/orders/order/placement-store';
import { newOrder } from '@acme/orders/testing/new-order';
import { startEmbedded } from '@acme/postgres/embedded';
import { prune } from '@acme/postgres/feed';
import { migrate } from '@acme/postgres/migrations';
import { openPool, type Pool } from '@acme/postgres/pool';
import { queryOnce } from '@acme/postgres/testing';
import { forgetRequests } from '@acme/postgres/transaction';
import { quantile } from '../harness/quantile.ts';
import { openTemporaryFolder } from '../harness/temporary-folder.ts';
import { fillHistory, rowsPerOrder } from './history/fill-history.ts';
import { writeReport } from './load/figures.ts';

/** Measures the batches that remove expired rows, and T1 beside them. */
const { values } = parseCommandLine({
  call: 'npm run bench -- retention',
  summary:
    'Measures the batches that remove expired rows from large tables, and the placing of orders beside them.',
  options: {
    orders: integer('N', 'settled orders, with two events and a reservation each', {
      from: 10_000,
      fallback: 1_000_000,
    }),
    batches: integer('N', 'batches of each kind', { from: 1, fallback: 100 }),
    json: text('FILE', 'file for the result'),
  },
});
const rowsPerBatch = 5000;
const monthMs = 30 * 24 * 60 * 60 * 1000;
const ageDays = 31;
/** Number of callers that place orders. */
const placers = 4;

await using cleanup = new AsyncDisposableStack();
const folder = cleanup.use(await openTemporaryFolder('bench-retention-'));
const server = cleanup.use(await startEmbedded({ dataFolder: join(folder.path, 'postgres') }));

async function openDatabase(service: 'orders' | 'inventory'): Promise<{ url: string; pool: Pool }> {
  await server.ensureDatabase(service);
  const url = server.url(service);
  await migrate(url, new URL('../migrations/', import.meta.resolve(`@acme/${service}/main`)));
  const pool = openPool({ url, max: 8, applicationName: 'bench', onError: () => {} });
  return { url, pool: cleanup.adopt(pool, (each) => each.end()) };
}

const orders = await openDatabase('orders');
const inventory = await openDatabase('inventory');
await fillHistory(
  { orders: orders.url, inventory: inventory.url },
  {
    orderCount: values.orders,
    customerId: 'regular',
    ofCustomer: 1000,
    ageDays,
    reservationState: 'RELEASED',
  },
);

const { place } = createPlacementStore(orders.pool, { now: () => new Date(), settleGraceMs: monthMs });

/** Places orders until `work` has ended. Returns the p99 of a placing, in ms. */
async function placingBeside(work: () => Promise<unknown>): Promise<number> {
  const tookMs: number[] = [];
  let isRunning = true;
  const placing = Array.from({ length: placers }, async () => {
    while (isRunning) {
      const startMs = performance.now();
      await place(newOrder());
      tookMs.push(performance.now() - startMs);
    }
  });
  await work();
  isRunning = false;
  await Promise.all(placing);
  return quantile(tookMs, 0.99) ?? Number.NaN;
}

interface Removal {
  readonly name: string;
  readonly pool: Pool;
  readonly removeBatch: () => Promise<number>;
}

const removals: readonly Removal[] = [
  {
    name: 'events',
    pool: orders.pool,
    removeBatch: () => prune(orders.pool, 'order_events', monthMs, rowsPerBatch),
  },
  {
    name: 'requests',
    pool: orders.pool,
    removeBatch: () => forgetRequests(orders.pool, orderRequests, monthMs, rowsPerBatch),
  },
  {
    name: 'reservations',
    pool: inventory.pool,
    removeBatch: () => removeEndedReservations(inventory.pool, monthMs, rowsPerBatch),
  },
];

async function walBytes(pool: Pool): Promise<number> {
  const { rows } = await pool.query<{ bytes: number }>(
    `SELECT (pg_current_wal_insert_lsn() - '0/0')::float8 AS bytes`,
  );
  return rows[0]?.bytes ?? Number.NaN;
}

/** Runs batches without a pause. Returns their figures by name. */
async function measure({ name, pool, removeBatch }: Removal): Promise<Record<string, number>> {
  const tookMs: number[] = [];
  let removed = 0;
  const before = await walBytes(pool);
  for (let batch = 0; batch < values.batches; batch++) {
    const startMs = performance.now();
    removed += await removeBatch();
    tookMs.push(performance.now() - startMs);
  }
  const wal = (await walBytes(pool)) - before;
  const totalMs = tookMs.reduce((sum, ms) => sum + ms, 0);
  return {
    [`${name}_per_s`]: (removed / totalMs) * 1000,
    [`${name}_batch_p50_ms`]: quantile(tookMs, 0.5) ?? Number.NaN,
    [`${name}_batch_max_ms`]: Math.max(...tookMs),
    [`${name}_wal_bytes_per_row`]: wal / removed,
  };
}

/** Returns the duration of a vacuum after the removal, in s. */
async function vacuumS(table: string, { url }: { url: string }): Promise<number> {
  const startMs = performance.now();
  await queryOnce(url, `VACUUM ${table}`);
  return (performance.now() - startMs) / 1000;
}

const figures: Record<string, number> = {};
for (const removal of removals) Object.assign(figures, await measure(removal));
for (const [table, database] of [
  ['order_events', orders],
  ['orders', orders],
  ['reservations', inventory],
] as const)
  figures[`${table}_vacuum_s`] = await vacuumS(table, database);
const seconds = 10;
figures.place_p99_ms = await placingBeside(() => new Promise((done) => setTimeout(done, seconds * 1000)));
figures.place_beside_p99_ms = await placingBeside(async () => {
  for (const removal of removals) await measure(removal);
});
await writeReport(figures, {
  how: `${values.batches} batches of ${rowsPerBatch} rows, ${rowsPerOrder * values.orders} rows`,
  jsonFile: values.json,
});
