import { afterAll, beforeAll, beforeEach, expect } from 'vitest';
import type { Pool } from '../pool/pool.ts';
import type { Tx } from '../transaction/transaction.ts';
import { openTestPool } from './open-test-pool.ts';
import { createTestDatabase, type TestDatabase } from './test-database.ts';

/** Creates a table of two counters, `a` and `b`, and sets them to 0 before each test. */
export function useCounters() {
  let database: TestDatabase;
  let admin: Pool;
  beforeAll(async () => {
    database = await createTestDatabase();
    admin = openTestPool({ url: database.url, max: 2 });
    await admin.query('CREATE TABLE counters (name text PRIMARY KEY, value int NOT NULL)');
  });
  beforeEach(async () => {
    await admin.query(`TRUNCATE counters; INSERT INTO counters VALUES ('a', 0), ('b', 0)`);
  });
  afterAll(async () => {
    await admin.end();
    await database[Symbol.asyncDispose]();
  });
  return {
    /** Uses connections other than those under test. */
    admin: { query: (statement, values) => admin.query(statement, values) } satisfies Tx as Tx,

    /** Opens a pool that is closed with the test. The test hangs when a connection was not released. */
    poolOf: (max: number) => openTestPool({ url: database.url, max }),
  };
}

export async function countOf(tx: Tx, name: string): Promise<number | undefined> {
  const { rows } = await tx.query<{ value: number }>('SELECT value FROM counters WHERE name = $1', [name]);
  return rows[0]?.value;
}

export function increment(tx: Tx, name: string) {
  return tx.query('UPDATE counters SET value = value + 1 WHERE name = $1', [name]);
}

/** Returns the id of the server process of this connection. */
export async function backendOf(tx: Tx): Promise<number> {
  const { rows } = await tx.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
  return rows[0]?.pid ?? expect.unreachable();
}
