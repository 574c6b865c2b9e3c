import { randomUUID } from 'node:crypto';
import { createFakes } from '@acme/rpc/testing';
import { expect, test } from 'vitest';
import type { Pool } from '../pool/pool.ts';
import { openTestPool } from '../testing/open-test-pool.ts';
import { createTestDatabase } from '../testing/test-database.ts';
import { forgetRequests, type RequestTable } from './forget-requests.ts';

const notes: RequestTable = { table: 'notes', keepWhile: 'is_draft' };
const weekMs = 7 * 24 * 60 * 60 * 1000;

interface Notes extends AsyncDisposable {
  readonly pool: Pool;
  /** Inserts a note that is this many days old. Ids ascend, also within a millisecond. */
  add(ageDays: number, options?: { isDraft?: boolean }): Promise<void>;
  /** Returns whether each note has a request, in the order of their ids. */
  haveRequests(): Promise<boolean[]>;
}

async function openNotes(): Promise<Notes> {
  await using opened = new AsyncDisposableStack();
  const { url } = opened.use(await createTestDatabase());
  const pool = opened.use(openTestPool({ url, max: 4 }));
  const { newId } = createFakes();
  await pool.query(`
    CREATE TABLE notes (id uuid PRIMARY KEY, request_id uuid, fingerprint bytea, is_draft boolean NOT NULL,
                        create_time timestamptz NOT NULL);
    CREATE TABLE forgotten_requests (table_name text PRIMARY KEY, last_id uuid NOT NULL);
    INSERT INTO forgotten_requests VALUES ('notes', '00000000-0000-0000-0000-000000000000')`);
  const kept = opened.move();
  return {
    pool,
    add: async (ageDays, { isDraft = false } = {}) => {
      await pool.query(`INSERT INTO notes VALUES ($1, $2, 'x', $3, now() - $4 * interval '1 day')`, [
        newId(),
        randomUUID(),
        isDraft,
        ageDays,
      ]);
    },
    haveRequests: async () => {
      const { rows } = await pool.query<{ has: boolean }>(
        'SELECT request_id IS NOT NULL AND fingerprint IS NOT NULL AS has FROM notes ORDER BY id',
      );
      return rows.map(({ has }) => has);
    },
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}

test('requests are forgotten up to the first younger row, a limited number at a time', async () => {
  await using database = await openNotes();
  for (const ageDays of [10, 9, 8, 1, 8]) await database.add(ageDays);
  expect(await forgetRequests(database.pool, notes, weekMs, 2)).toBe(2);
  expect(await database.haveRequests()).toEqual([false, false, true, true, true]);
  expect(await forgetRequests(database.pool, notes, weekMs, 2)).toBe(1);
  expect(await forgetRequests(database.pool, notes, weekMs, 2)).toBe(0);
  expect(await database.haveRequests()).toEqual([false, false, false, true, true]);
});

test('a row keeps its request while its work is not done', async () => {
  await using database = await openNotes();
  await database.add(10, { isDraft: true });
  await database.add(9);
  expect(await forgetRequests(database.pool, notes, weekMs)).toBe(2);
  expect(await database.haveRequests()).toEqual([true, false]);
});

test('a replica forgets nothing while another one does', async () => {
  await using database = await openNotes();
  await database.add(10);
  const other = await database.pool.connect();
  try {
    await other.query('BEGIN; SELECT FROM forgotten_requests FOR UPDATE');
    expect(await forgetRequests(database.pool, notes, weekMs)).toBe(0);
    await other.query('ROLLBACK');
  } finally {
    other.release();
  }
  expect(await forgetRequests(database.pool, notes, weekMs)).toBe(1);
});
