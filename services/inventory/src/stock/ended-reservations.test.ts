import { randomUUID } from 'node:crypto';
import type { Pool } from '@acme/postgres/pool';
import { expect, test } from 'vitest';
import { openInventoryDatabase } from '../testing/inventory-database.ts';
import { removeEndedReservations } from './ended-reservations.ts';
import { createReleaseStore } from './release-store.ts';
import { createReservationStore } from './reservation-store.ts';

const dayMs = 24 * 60 * 60 * 1000;

/** Returns the stores of a replica whose clock is this many days behind. */
function storesOf(pool: Pool, ageDays: number) {
  const now = () => new Date(Date.now() - ageDays * dayMs);
  return { ...createReservationStore(pool, now), ...createReleaseStore(pool, now) };
}

/** Runs a statement on another connection before the first statement with the name. */
function runBefore(pool: Pool, name: string, statement: string): Pool {
  let isPending = true;
  const connect = async () => {
    const client = await pool.connect();
    return new Proxy(client, {
      get: (target, property) => {
        if (property !== 'query') {
          const value = Reflect.get(target, property);
          return typeof value === 'function' ? value.bind(target) : value;
        }
        return async (query: { name?: string }, ...values: never[]) => {
          if (query.name === name && isPending) {
            isPending = false;
            await pool.query(statement);
          }
          return target.query(query as never, ...values);
        };
      },
    });
  };
  return new Proxy(pool, {
    get: (target, property) => (property === 'connect' ? connect : Reflect.get(target, property)),
  });
}

test('old reservations that were refused or released are removed, the oldest first, and live ones stay', async () => {
  await using database = await openInventoryDatabase();
  await database.setStock({ A: 10 });
  const old = storesOf(database.pool, 31);
  const reserve = { lines: [{ sku: 'A', quantity: 1 }] };
  const [live, released, refused, tombstone, young] = Array.from({ length: 5 }, () => randomUUID());
  await old.reserve({ ...reserve, id: live as string });
  await old.reserve({ ...reserve, id: released as string });
  await old.release(released as string);
  await old.reserve({ id: refused as string, lines: [{ sku: 'A', quantity: 11 }] });
  await old.release(tombstone as string);
  await storesOf(database.pool, 29).release(young as string);
  const left = async () => {
    const { rows } = await database.pool.query<{ id: string }>('SELECT id FROM reservations');
    return new Set(rows.map(({ id }) => id));
  };
  expect(await removeEndedReservations(database.pool, 30 * dayMs, 2)).toBe(2);
  expect(await removeEndedReservations(database.pool, 30 * dayMs, 2)).toBe(1);
  expect(await removeEndedReservations(database.pool, 30 * dayMs, 2)).toBe(0);
  expect(await left()).toEqual(new Set([live, young]));
  expect(await database.reserved()).toEqual({ A: 1 });
});

test('the retention counts from the release, not from the reserve', async () => {
  await using database = await openInventoryDatabase();
  await database.setStock({ A: 10 });
  const id = randomUUID();
  await storesOf(database.pool, 90).reserve({ id, lines: [{ sku: 'A', quantity: 1 }] });
  await storesOf(database.pool, 1).release(id);
  expect(await removeEndedReservations(database.pool, 30 * dayMs, 10)).toBe(0);
  expect(await storesOf(database.pool, 0).reserve({ id, lines: [] })).toMatchObject({ state: 'RELEASED' });
});

test('a release whose tombstone is removed meanwhile leaves another one', async () => {
  await using database = await openInventoryDatabase();
  const id = randomUUID();
  await storesOf(database.pool, 31).release(id);
  const pool = runBefore(database.pool, 'lock-reservation', 'DELETE FROM reservations');
  expect(await storesOf(pool, 0).release(id)).toMatchObject({ id, state: 'RELEASED' });
  expect((await database.pool.query('SELECT FROM reservations')).rowCount).toBe(1);
});

test('a reserve whose old reservation is removed meanwhile is a new one', async () => {
  await using database = await openInventoryDatabase();
  await database.setStock({ A: 10 });
  const id = randomUUID();
  await storesOf(database.pool, 31).release(id);
  const pool = runBefore(database.pool, 'reservations-by-id', 'DELETE FROM reservations');
  const lines = [{ sku: 'A', quantity: 1 }];
  expect(await storesOf(pool, 0).reserve({ id, lines })).toMatchObject({ id, state: 'RESERVED', lines });
  expect(await database.reserved()).toEqual({ A: 1 });
});
