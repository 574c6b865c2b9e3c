import { randomUUID } from 'node:crypto';
import type { Pool } from '@acme/postgres/pool';
import { describe, expect, test, vi } from 'vitest';
import { openInventoryDatabase } from '../testing/inventory-database.ts';
import { createReleaseStore } from './release-store.ts';
import { createReservationStore } from './reservation-store.ts';

const now = () => new Date('2026-01-02T03:04:05Z');

/** Returns the stores of a replica. */
function createStores(pool: Pool) {
  return { ...createReservationStore(pool, now), ...createReleaseStore(pool, now) };
}

function linesOf(units: Readonly<Record<string, number>>) {
  return Object.entries(units).map(([sku, quantity]) => ({ sku, quantity }));
}

/** Locks all rows of `stock`. `untilBlocked` resolves when this many statements wait for a lock. */
async function holdStock(pool: Pool) {
  const client = await pool.connect();
  await client.query('BEGIN; SELECT FROM stock FOR UPDATE');
  const release = async () => {
    await client.query('ROLLBACK');
    client.release();
  };
  const untilBlocked = (count: number) =>
    vi.waitFor(async () => {
      const { rows } = await pool.query(
        `SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`,
      );
      expect(rows).toHaveLength(count);
    }, 10_000);
  return { release, untilBlocked };
}

// Reserves of the same turn of the event loop form one batch.
describe('a batch', () => {
  test('reserves are decided in the order of arrival, and a refused one does not affect the next', async () => {
    await using database = await openInventoryDatabase();
    await database.setStock({ A: 5 });
    const store = createStores(database.pool);
    const wanted = [3, 3, 2, 1].map((quantity) => ({ id: randomUUID(), lines: linesOf({ A: quantity }) }));
    const reservations = await Promise.all(wanted.map((command) => store.reserve(command)));
    expect(reservations.map(({ id }) => id)).toEqual(wanted.map(({ id }) => id));
    expect(reservations.map(({ state }) => state)).toEqual(['RESERVED', 'REFUSED', 'RESERVED', 'REFUSED']);
    expect(reservations[1]?.refusal?.items).toEqual([{ sku: 'A', description: '3 wanted, 2 available' }]);
    expect(await database.reserved()).toEqual({ A: 5 });
    expect(await Promise.all(wanted.map((command) => store.reserve(command)))).toEqual(reservations);
  });

  test('an id that occurs twice is decided once, by the first reserve', async () => {
    await using database = await openInventoryDatabase();
    await database.setStock({ A: 10, B: 10 });
    const store = createStores(database.pool);
    const id = randomUUID();
    const first = { id, lines: linesOf({ A: 2 }) };
    const reservations = await Promise.all([
      store.reserve(first),
      store.reserve({ id: randomUUID(), lines: linesOf({ A: 1 }) }),
      store.reserve(first),
      store.reserve({ id, lines: linesOf({ B: 5 }) }),
    ]);
    expect(reservations[0]).toMatchObject({ id, state: 'RESERVED', lines: linesOf({ A: 2 }) });
    expect([reservations[2], reservations[3]]).toEqual([reservations[0], reservations[0]]);
    expect(await database.reserved()).toEqual({ A: 3, B: 0 });
  });

  test('an unknown SKU refuses its own reserve only', async () => {
    await using database = await openInventoryDatabase();
    await database.setStock({ A: 5 });
    const store = createStores(database.pool);
    const wanted = [{ A: 2 }, { A: 1, none: 1 }, { A: 3 }];
    const reservations = await Promise.all(
      wanted.map((units) => store.reserve({ id: randomUUID(), lines: linesOf(units) })),
    );
    expect(reservations.map(({ state }) => state)).toEqual(['RESERVED', 'REFUSED', 'RESERVED']);
    expect(await database.reserved()).toEqual({ A: 5 });
  });

  test('known ids get their first outcome, next to new ids', async () => {
    await using database = await openInventoryDatabase();
    await database.setStock({ A: 3 });
    const store = createStores(database.pool);
    const [old, late] = [randomUUID(), randomUUID()];
    const refused = await store.reserve({ id: old, lines: linesOf({ A: 4 }) });
    await store.release(late);
    const [again, tombstone, fresh] = await Promise.all([
      store.reserve({ id: old, lines: linesOf({ A: 4 }) }),
      store.reserve({ id: late, lines: linesOf({ A: 3 }) }),
      store.reserve({ id: randomUUID(), lines: linesOf({ A: 3 }) }),
    ]);
    expect(again).toEqual(refused);
    expect([tombstone?.state, fresh?.state]).toEqual(['RELEASED', 'RESERVED']);
    expect(await database.reserved()).toEqual({ A: 3 });
  });
});

describe('concurrent releases and reserves', () => {
  test('a release waits for the reserve in progress, and then releases its units', async () => {
    await using database = await openInventoryDatabase();
    await database.setStock({ A: 5 });
    const store = createStores(database.pool);
    const stock = await holdStock(database.pool);
    const id = randomUUID();
    const reserving = store.reserve({ id, lines: linesOf({ A: 2 }) });
    await stock.untilBlocked(1);
    const releasing = store.release(id);
    await stock.untilBlocked(2);
    await stock.release();
    expect((await reserving).state).toBe('RESERVED');
    expect(await releasing).toMatchObject({ id, state: 'RELEASED', lines: linesOf({ A: 2 }) });
    expect(await database.reserved()).toEqual({ A: 0 });
  });

  test('two concurrent releases return the units once', async () => {
    await using database = await openInventoryDatabase();
    await database.setStock({ A: 5 });
    const store = createStores(database.pool);
    const id = randomUUID();
    await store.reserve({ id, lines: linesOf({ A: 2 }) });
    await store.reserve({ id: randomUUID(), lines: linesOf({ A: 3 }) });
    const stock = await holdStock(database.pool);
    const releasing = Promise.all([store.release(id), store.release(id)]);
    await stock.untilBlocked(2);
    await stock.release();
    const [first, second] = await releasing;
    expect(first).toMatchObject({ state: 'RELEASED' });
    expect(second).toEqual(first);
    expect(await database.reserved()).toEqual({ A: 3 });
  });

  test('a released id holds nothing, in any order of reserves and releases on two replicas', async () => {
    await using database = await openInventoryDatabase();
    await database.setStock({ A: 1000, B: 1000 });
    const replicas = [createStores(database.pool), createStores(database.pool)];
    const ids = Array.from({ length: 40 }, () => randomUUID());
    const calls = ids.flatMap((id, index) => {
      const lines = linesOf(index % 2 ? { A: 1, B: 2 } : { A: 2, B: 1 });
      const reserves = replicas.map((store) => () => store.reserve({ id, lines }));
      const release = () => replicas[index % 2]?.release(id);
      return index % 3 === 0 ? [release, ...reserves] : [reserves[0], release, reserves[1]];
    });
    await Promise.all(calls.map((call) => call?.()));
    const { rows } = await database.pool.query('SELECT DISTINCT state FROM reservations');
    expect(rows).toEqual([{ state: 'RELEASED' }]);
    expect(await database.reserved()).toEqual({ A: 0, B: 0 });
  });
});

describe('two replicas', () => {
  test('one id makes one reservation, which both replicas return', async () => {
    await using database = await openInventoryDatabase();
    await database.setStock({ A: 100 });
    const replicas = [createStores(database.pool), createStores(database.pool)];
    const ids = Array.from({ length: 10 }, () => randomUUID());
    const command = (id: string) => ({ id, lines: linesOf({ A: 1 }) });
    const [first, second] = await Promise.all(
      replicas.map((store, index) =>
        Promise.all((index ? ids.toReversed() : ids).map((id) => store.reserve(command(id)))),
      ),
    );
    expect(second?.toReversed()).toEqual(first);
    expect(await database.reserved()).toEqual({ A: 10 });
  });

  test('one of two concurrent reserves gets the last unit', async () => {
    await using database = await openInventoryDatabase();
    await database.setStock({ A: 1 });
    const replicas = [createStores(database.pool), createStores(database.pool)];
    const stock = await holdStock(database.pool);
    const reserving = Promise.all(
      replicas.map((store) => store.reserve({ id: randomUUID(), lines: linesOf({ A: 1 }) })),
    );
    await stock.untilBlocked(2);
    await stock.release();
    const states = (await reserving).map(({ state }) => state);
    expect(states.sort()).toEqual(['REFUSED', 'RESERVED']);
    expect(await database.reserved()).toEqual({ A: 1 });
  });
});
