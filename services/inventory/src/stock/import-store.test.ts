import { randomUUID } from 'node:crypto';
import { expect, test, vi } from 'vitest';
import { openInventoryDatabase } from '../testing/inventory-database.ts';
import { createImportStore, type StockItem } from './import-store.ts';

const now = () => new Date('2026-01-02T03:04:05Z');
const { signal } = new AbortController();

async function* itemsOf(counts: Readonly<Record<string, number>>): AsyncGenerator<StockItem> {
  for (const [sku, count] of Object.entries(counts)) yield { sku, title: sku, onHand: BigInt(count) };
}

test('an import fails with the error of its items, and changes nothing', async () => {
  await using database = await openInventoryDatabase();
  const store = createImportStore(database.pool, now);
  const id = { id: randomUUID(), itemCount: 0n };
  const failing = async function* () {
    yield* itemsOf({ A: 1, B: 2 });
    throw new Error('the source failed');
  };
  await expect(store.run(id, failing(), signal)).rejects.toThrow('the source failed');
  expect(await database.reserved()).toEqual({});
  expect(await store.run(id, itemsOf({ A: 1 }), signal)).toEqual({ received: 1n, created: 1n, updated: 0n });
});

test('a repeated import returns the first summary without reading its items', async () => {
  await using database = await openInventoryDatabase();
  const store = createImportStore(database.pool, now);
  const id = { id: randomUUID(), itemCount: 0n };
  const summary = await store.run(id, itemsOf({ A: 1, B: 2 }), signal);
  const read = vi.fn();
  const unread = async function* () {
    read();
    yield* itemsOf({ A: 5 });
  };
  expect(await store.run(id, unread(), signal)).toEqual(summary);
  expect(read).not.toHaveBeenCalled();
});

test('a repeated import waits for the running one longer than the lock_timeout of other statements', async () => {
  await using database = await openInventoryDatabase();
  // Opens connections with a lock_timeout of 0.1 s instead of 5 s.
  Object.assign(database.pool.options, { lock_timeout: 100 });
  const store = createImportStore(database.pool, now);
  const id = { id: randomUUID(), itemCount: 0n };
  const finished = Promise.withResolvers<void>();
  const slow = async function* () {
    yield* itemsOf({ A: 1 });
    await finished.promise;
  };
  const first = store.run(id, slow(), signal);
  const waiting = async () => {
    const { rows } = await database.pool.query(
      `SELECT FROM pg_stat_activity WHERE datname = current_database()
       AND wait_event_type = 'Lock' AND clock_timestamp() - query_start > interval '300 ms'`,
    );
    return rows.length;
  };
  await vi.waitFor(async () => {
    const { rows } = await database.pool.query(`SELECT FROM pg_locks WHERE relation = 'imports'::regclass`);
    expect(rows.length).toBeGreaterThan(0);
  }, 10_000);
  const repeat = store.run(id, itemsOf({ A: 2 }), signal).catch((error: unknown) => error);
  await expect.poll(waiting).toBe(1);
  finished.resolve();
  expect(await repeat).toEqual(await first);
});

test('an import neither changes nor locks an item that already has the imported values', async () => {
  await using database = await openInventoryDatabase();
  const store = createImportStore(database.pool, now);
  const run = (counts: Record<string, number>) =>
    store.run({ id: randomUUID(), itemCount: 0n }, itemsOf(counts), signal);
  await run({ A: 1, B: 1 });
  await using held = new AsyncDisposableStack();
  const other = held.adopt(await database.pool.connect(), (client) => client.release());
  held.defer(async () => void (await other.query('ROLLBACK')));
  await other.query(`BEGIN; SELECT FROM stock WHERE sku = 'A' FOR UPDATE`);
  expect(await run({ A: 1, B: 2 })).toEqual({ received: 2n, created: 0n, updated: 2n });
  const { rows } = await database.pool.query('SELECT sku, on_hand, version FROM stock ORDER BY sku');
  expect(rows).toEqual([
    { sku: 'A', on_hand: 1n, version: 1n },
    { sku: 'B', on_hand: 2n, version: 2n },
  ]);
});

test('the later of two concurrent imports wins for all items, even those that it found unchanged', async () => {
  await using database = await openInventoryDatabase();
  await database.setStock({ A: 5, B: 5 });
  const store = createImportStore(database.pool, now);
  const run = (items: AsyncIterable<StockItem>) =>
    store.run({ id: randomUUID(), itemCount: 0n }, items, signal);
  await using held = new AsyncDisposableStack();
  const other = held.adopt(await database.pool.connect(), (client) => client.release());
  held.defer(async () => void (await other.query('ROLLBACK')));
  await other.query(`BEGIN; SELECT FROM stock WHERE sku = 'B' FOR UPDATE`);
  const waiting = async () => {
    const { rows } = await database.pool.query(
      `SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`,
    );
    return rows.length;
  };
  const first = run(itemsOf({ A: 2, B: 2 }));
  await expect.poll(waiting).toBe(1);
  const second = run(itemsOf({ A: 5, B: 1 }));
  await expect.poll(waiting).toBe(2);
  await other.query('ROLLBACK');
  await Promise.all([first, second]);
  const { rows } = await database.pool.query('SELECT sku, on_hand FROM stock ORDER BY sku');
  expect(rows).toEqual([
    { sku: 'A', on_hand: 5n },
    { sku: 'B', on_hand: 1n },
  ]);
});

test('an import that loses a deadlock fails, and is not stored as an empty import', async () => {
  await using database = await openInventoryDatabase();
  await database.setStock({ A: 1, B: 1 });
  const store = createImportStore(database.pool, now);
  await using held = new AsyncDisposableStack();
  const other = held.adopt(await database.pool.connect(), (client) => client.release());
  held.defer(async () => void (await other.query('ROLLBACK')));
  // Locks in the opposite order, with a deadlock_timeout so long that the import detects the deadlock.
  await other.query(
    `BEGIN; SET LOCAL deadlock_timeout = '1min'; SELECT FROM stock WHERE sku = 'B' FOR UPDATE`,
  );
  const importing = store.run({ id: randomUUID(), itemCount: 2n }, itemsOf({ A: 5, B: 5 }), signal);
  const outcome = importing.catch((error) => error);
  await vi.waitFor(async () => {
    const { rows } = await database.pool.query(
      `SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`,
    );
    expect(rows).toHaveLength(1);
  }, 10_000);
  await other.query(`SELECT FROM stock WHERE sku = 'A' FOR UPDATE`);
  expect(await outcome).toMatchObject({ code: '40P01' });
  const { rows } = await database.pool.query('SELECT on_hand FROM stock');
  expect(rows).toEqual([{ on_hand: 1n }, { on_hand: 1n }]);
});
