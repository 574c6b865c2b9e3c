import { collectLog } from '@acme/rpc/testing/telemetry/collect-log';
import { collectTelemetry } from '@acme/rpc/testing/telemetry/collect-telemetry';
import { expect, test, vi } from 'vitest';
import { createOrderStore } from '../order/order-store.ts';
import { newOrder } from '../testing/new-order.ts';
import { openOrdersDatabase } from '../testing/orders-database.ts';
import { createSettlementStore } from './settlement-store.ts';
import { createUnsettledOrdersMonitor } from './unsettled-orders-monitor.ts';

/** Of a caller that stays. */
const { signal } = new AbortController();

/** Orders and their reconciliation, whose own clock stands still until a test moves it. */
async function openBooks() {
  const stack = new AsyncDisposableStack();
  const telemetry = stack.use(collectTelemetry());
  const database = stack.use(await openOrdersDatabase());
  const clock = { ms: 0 };
  const now = () => new Date();
  const { log, lines } = collectLog();
  const reconciliation = stack.adopt(
    createUnsettledOrdersMonitor({ pool: database.pool, log, nowMs: () => clock.ms }),
    (each) => each.close(),
  );
  const measured = async (name: string) => (await telemetry.points(name)).map(({ value }) => value);
  return {
    ...database,
    orders: createOrderStore(database.pool, { now, settleGraceMs: 60_000 }),
    settlements: createSettlementStore(database.pool, now),
    check: reconciliation.check,
    /** Makes all orders older, as the database sees them. */
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

test('ensure what is PENDING or owed is counted, and how old the oldest is', async () => {
  await using books = await openBooks();
  await books.check();
  expect(await books.unsettled()).toEqual({ count: [0], oldestAge: [0] });
  const [pending, cancelled, confirmed] = await Promise.all(
    [newOrder(), newOrder(), newOrder()].map(books.orders.place),
  );
  await books.age(5_000_000);
  await books.orders.cancel(cancelled?.id ?? '', undefined, '', signal);
  await books.settlements.settle(confirmed?.id ?? '', { state: 'CONFIRMED' });
  await books.pool.query('UPDATE orders SET settle_attempts = 100 WHERE id = $1', [pending?.id]);
  await books.age(2_000_000);
  await books.check();
  const first = await books.unsettled();
  expect(first.count).toEqual([2]);
  expect(Math.floor((first.oldestAge[0] as number) / 1000)).toBe(7);
  await books.settlements.settle(pending?.id ?? '', { state: 'CONFIRMED' });
  await books.check();
  const second = await books.unsettled();
  expect(second.count).toEqual([1]);
  expect(Math.floor((second.oldestAge[0] as number) / 1000)).toBe(2);
});

test('ensure orders that wait for over 30 s are complained of once a minute, with the first of their ids', async () => {
  await using books = await openBooks();
  const ids: string[] = [];
  for (let count = 0; count < 25; count++) {
    ids.push((await books.orders.place(newOrder())).id);
    await books.age(1);
  }
  await books.check();
  expect(books.lines).toEqual([]);
  await books.age(30_001);
  await books.orders.place(newOrder());
  for (let check = 0; check < 7; check++) {
    await books.check();
    books.clock.ms += 10_000;
    if (check === 4) await books.age(30_001);
  }
  expect(books.lines).toMatchObject([
    {
      level: 'warn',
      msg: 'orders have not been settled for over 30 s',
      count: 25,
      order_ids: ids.slice(0, 20),
    },
    { count: 26 },
  ]);
});

test('ensure the clock of a replica does not make orders old', async () => {
  await using books = await openBooks();
  await books.orders.place(newOrder());
  books.clock.ms += 365 * 24 * 60 * 60 * 1000;
  vi.useFakeTimers({ now: Date.now() + 365 * 24 * 60 * 60 * 1000, toFake: ['Date'] });
  try {
    await books.check();
  } finally {
    vi.useRealTimers();
  }
  expect(books.lines).toEqual([]);
});

test('ensure the count reads the index of what is unsettled, and not the orders', async () => {
  await using books = await openBooks();
  await Promise.all(Array.from({ length: 300 }, () => books.orders.place(newOrder())));
  await books.pool.query(`UPDATE orders SET state = 'CONFIRMED', settle_after = NULL`);
  await books.orders.place(newOrder());
  await books.pool.query('VACUUM ANALYZE orders');
  const scans = async () => {
    const { rows } = await books.pool.query<{ seq_scan: bigint }>(
      `SELECT pg_stat_clear_snapshot(), seq_scan FROM pg_stat_user_tables WHERE relname = 'orders'`,
    );
    return rows[0]?.seq_scan;
  };
  await books.pool.query('SELECT pg_stat_force_next_flush()');
  const before = await scans();
  await books.check();
  await books.pool.query('SELECT pg_stat_force_next_flush()');
  expect(await scans()).toBe(before);
});
