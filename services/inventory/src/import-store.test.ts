import { randomUUID } from 'node:crypto';
import { expect, test, vi } from 'vitest';
import { createImportStore, type StockItem } from './import-store.ts';
import { openInventoryDatabase } from './testing/inventory-database.ts';

const now = () => new Date('2026-01-02T03:04:05Z');
const { signal } = new AbortController();

async function* itemsOf(counts: Readonly<Record<string, number>>): AsyncGenerator<StockItem> {
  for (const [sku, count] of Object.entries(counts)) yield { sku, title: sku, onHand: BigInt(count) };
}

test('ensure items whose source fails leave nothing, and the error is theirs', async () => {
  await using database = await openInventoryDatabase();
  const store = createImportStore(database.pool, now);
  const id = randomUUID();
  const failing = async function* () {
    yield* itemsOf({ A: 1, B: 2 });
    throw new Error('the scanner broke');
  };
  await expect(store.run(id, failing(), signal)).rejects.toThrow('the scanner broke');
  expect(await database.reserved()).toEqual({});
  expect(await store.run(id, itemsOf({ A: 1 }), signal)).toEqual({ received: 1n, created: 1n, updated: 0n });
});

test('ensure a repeat is answered without reading its items', async () => {
  await using database = await openInventoryDatabase();
  const store = createImportStore(database.pool, now);
  const id = randomUUID();
  const summary = await store.run(id, itemsOf({ A: 1, B: 2 }), signal);
  const read = vi.fn();
  const unread = async function* () {
    read();
    yield* itemsOf({ A: 5 });
  };
  expect(await store.run(id, unread(), signal)).toEqual(summary);
  expect(read).not.toHaveBeenCalled();
});

test('ensure an import that loses a deadlock fails, and is not taken for one without items', async () => {
  await using database = await openInventoryDatabase();
  await database.stockUp({ A: 1, B: 1 });
  const store = createImportStore(database.pool, now);
  await using held = new AsyncDisposableStack();
  const other = held.adopt(await database.pool.connect(), (client) => client.release());
  held.defer(async () => void (await other.query('ROLLBACK')));
  // Takes the locks in the order that nobody else does, and does not look for the deadlock itself.
  await other.query(
    `BEGIN; SET LOCAL deadlock_timeout = '1min'; SELECT FROM stock WHERE sku = 'B' FOR UPDATE`,
  );
  const importing = store.run(randomUUID(), itemsOf({ A: 5, B: 5 }), signal);
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
