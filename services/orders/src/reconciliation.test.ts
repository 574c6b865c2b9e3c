import { collectLog } from '@acme/rpc/testing/collect-log';
import { collectTelemetry } from '@acme/rpc/testing/collect-telemetry';
import { expect, test } from 'vitest';
import { createOrderStore } from './order-store.ts';
import { createReconciliation } from './reconciliation.ts';
import { createSettlementStore } from './settlement-store.ts';
import { newOrder } from './testing/new-order.ts';
import { openOrdersDatabase } from './testing/orders-database.ts';

/** Of a caller that stays. */
const { signal } = new AbortController();

/** Orders and their reconciliation, on one clock that stands still until it is told to move. */
async function openBooks() {
  const stack = new AsyncDisposableStack();
  const telemetry = stack.use(collectTelemetry());
  const database = stack.use(await openOrdersDatabase());
  const clock = { ms: Date.parse('2026-01-02T03:04:05Z') };
  const now = () => new Date(clock.ms);
  const { log, lines } = collectLog();
  const reconciliation = stack.adopt(createReconciliation({ pool: database.pool, log, now }), (each) =>
    each.close(),
  );
  const measured = async (name: string) => (await telemetry.points(name)).map(({ value }) => value);
  return {
    ...database,
    orders: createOrderStore(database.pool, { now, settleGraceMs: 60_000 }),
    settlements: createSettlementStore(database.pool, now),
    check: reconciliation.check,
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
  books.clock.ms += 5000;
  await books.orders.cancel(cancelled?.id ?? '', undefined, '', signal);
  await books.settlements.settle(confirmed?.id ?? '', { state: 'CONFIRMED' });
  await books.pool.query('UPDATE orders SET settle_attempts = 100 WHERE id = $1', [pending?.id]);
  books.clock.ms += 2500;
  await books.check();
  expect(await books.unsettled()).toEqual({ count: [2], oldestAge: [7.5] });
  await books.settlements.settle(pending?.id ?? '', { state: 'CONFIRMED' });
  await books.check();
  expect(await books.unsettled()).toEqual({ count: [1], oldestAge: [2.5] });
  expect(books.lines).toEqual([]);
});

test('ensure orders that wait for over 30 s are complained of once a minute, with the first of their ids', async () => {
  await using books = await openBooks();
  const ids: string[] = [];
  for (let count = 0; count < 25; count++) {
    ids.push((await books.orders.place(newOrder())).id);
    books.clock.ms += 1;
  }
  books.clock.ms += 29_000;
  await books.check();
  expect(books.lines).toEqual([]);
  books.clock.ms += 1001;
  await books.orders.place(newOrder());
  for (let check = 0; check < 7; check++) {
    await books.check();
    books.clock.ms += 10_000;
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
