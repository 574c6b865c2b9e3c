import { collectLog, collectTelemetry } from '@acme/rpc/testing';
import { expect, test, vi } from 'vitest';
import { newOrder } from '../testing/new-order.ts';
import { createOrderStores, openOrdersDatabase } from '../testing/orders-database.ts';
import { createSettlementStore } from './settlement-store.ts';
import { createUnsettledOrdersMonitor } from './unsettled-orders-monitor.ts';

/** A signal that is never aborted. */
const { signal } = new AbortController();

/** Opens a monitor on a new database. Its monotonic clock stands still until a test advances it. */
async function openMonitor() {
  const stack = new AsyncDisposableStack();
  const telemetry = stack.use(collectTelemetry());
  const database = stack.use(await openOrdersDatabase());
  const clock = { ms: 0 };
  const now = () => new Date();
  const { log, lines } = collectLog();
  const monitor = stack.adopt(
    createUnsettledOrdersMonitor({ pool: database.pool, log, nowMs: () => clock.ms }),
    (each) => each.close(),
  );
  const measured = async (name: string) => (await telemetry.points(name)).map(({ value }) => value);
  return {
    ...database,
    orders: createOrderStores(database.pool, { now, settleGraceMs: 60_000 }),
    settlements: createSettlementStore(database.pool, now),
    check: monitor.check,
    /** Adds to the age of all orders by the database's clock. */
    age: (ms: number) =>
      database.pool.query(`UPDATE orders SET update_time = update_time - $1 * interval '1 ms'`, [ms]),
    clock,
    lines,
    unsettled: async () => ({
      count: await measured('orders.unsettled.count'),
      oldestAge: await measured('orders.unsettled.oldest_age'),
    }),
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

test('the monitor measures the number and the greatest age of PENDING orders and pending releases', async () => {
  await using opened = await openMonitor();
  await opened.check();
  expect(await opened.unsettled()).toEqual({ count: [0], oldestAge: [0] });
  const [pending, cancelled, confirmed] = await Promise.all(
    [newOrder(), newOrder(), newOrder()].map(opened.orders.place),
  );
  await opened.age(5_000_000);
  await opened.orders.cancel(cancelled?.id ?? '', undefined, '', signal);
  await opened.settlements.settle(confirmed?.id ?? '', { state: 'CONFIRMED' });
  await opened.pool.query('UPDATE orders SET settle_attempts = 100 WHERE id = $1', [pending?.id]);
  await opened.age(2_000_000);
  await opened.check();
  const first = await opened.unsettled();
  expect(first.count).toEqual([2]);
  expect(Math.floor((first.oldestAge[0] as number) / 1000)).toBe(7);
  await opened.settlements.settle(pending?.id ?? '', { state: 'CONFIRMED' });
  await opened.check();
  const second = await opened.unsettled();
  expect(second.count).toEqual([1]);
  expect(Math.floor((second.oldestAge[0] as number) / 1000)).toBe(2);
});

test('orders that are unsettled for over 30 s are logged once a minute, with the oldest ids', async () => {
  await using opened = await openMonitor();
  const ids: string[] = [];
  for (let count = 0; count < 25; count++) {
    ids.push((await opened.orders.place(newOrder())).id);
    await opened.age(1);
  }
  await opened.check();
  expect(opened.lines).toEqual([]);
  await opened.age(30_001);
  await opened.orders.place(newOrder());
  for (let check = 0; check < 7; check++) {
    await opened.check();
    opened.clock.ms += 10_000;
    if (check === 4) await opened.age(30_001);
  }
  expect(opened.lines).toMatchObject([
    {
      level: 'warn',
      msg: 'orders have not been settled for over 30 s',
      count: 25,
      order_ids: ids.slice(0, 20),
    },
    { count: 26 },
  ]);
});

test('the clock of the replica does not affect the age of orders', async () => {
  await using opened = await openMonitor();
  await opened.orders.place(newOrder());
  opened.clock.ms += 365 * 24 * 60 * 60 * 1000;
  vi.useFakeTimers({ now: Date.now() + 365 * 24 * 60 * 60 * 1000, toFake: ['Date'] });
  try {
    await opened.check();
  } finally {
    vi.useRealTimers();
  }
  expect(opened.lines).toEqual([]);
});

test('a check reads the index of unsettled orders, not the table', async () => {
  await using opened = await openMonitor();
  await Promise.all(Array.from({ length: 300 }, () => opened.orders.place(newOrder())));
  await opened.pool.query(`UPDATE orders SET state = 'CONFIRMED', settle_after = NULL`);
  await opened.orders.place(newOrder());
  await opened.pool.query('VACUUM ANALYZE orders');
  const scans = async () => {
    const { rows } = await opened.pool.query<{ seq_scan: bigint }>(
      `SELECT pg_stat_clear_snapshot(), seq_scan FROM pg_stat_user_tables WHERE relname = 'orders'`,
    );
    return rows[0]?.seq_scan;
  };
  await opened.pool.query('SELECT pg_stat_force_next_flush()');
  const before = await scans();
  await opened.check();
  await opened.pool.query('SELECT pg_stat_force_next_flush()');
  expect(await scans()).toBe(before);
});
