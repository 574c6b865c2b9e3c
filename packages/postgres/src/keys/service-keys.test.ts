import { createEncryptedCursors } from '@acme/rpc/tokens';
import { expect, onTestFinished, test, vi } from 'vitest';
import type { Pool } from '../pool/pool.ts';
import { openTestPool } from '../testing/open-test-pool.ts';
import { createTestDatabase } from '../testing/test-database.ts';
import { openServiceKeys } from './service-keys.ts';

const table = `
  CREATE TABLE service_keys (
    name text,
    secret bytea NOT NULL,
    create_time timestamptz DEFAULT clock_timestamp(),
    PRIMARY KEY (name, create_time)
  )`;
/** The statement of docs/keys.md. */
const rotate = `
  INSERT INTO service_keys (name, secret)
  VALUES ('page_token', decode(replace(gen_random_uuid()::text || gen_random_uuid()::text, '-', ''), 'hex'))`;
const twoMinutesPass = `UPDATE service_keys SET create_time = create_time - interval '2 min'`;

async function openDatabase() {
  const database = await createTestDatabase();
  onTestFinished(() => database[Symbol.asyncDispose]());
  const pool = openTestPool({ url: database.url, max: 2 });
  onTestFinished(() => pool.end());
  await pool.query(table);
  return pool;
}

/** Opens a replica's keys and cursors, and collects its errors. */
async function openReplica(pool: Pool) {
  const errors: unknown[] = [];
  const keys = await openServiceKeys(pool, 'page_token', (error) => errors.push(error));
  onTestFinished(() => keys.close());
  return { keys, cursors: createEncryptedCursors(keys, 'ListEchoes'), errors };
}

test('a new key encrypts once it is a minute old, when every replica can decrypt its tokens', async () => {
  const pool = await openDatabase();
  await pool.query(rotate);
  await pool.query(twoMinutesPass);
  const [first, second] = [await openReplica(pool), await openReplica(pool)];
  const before = first.cursors.encrypt([], '1');

  await pool.query(rotate);
  await first.keys.refresh();
  const during = first.cursors.encrypt([], '2');
  expect(second.cursors.decrypt([], during)).toBe('2');
  expect(first.keys.all).toHaveLength(2);

  await second.keys.refresh(); // which it does every 20 s
  await pool.query(twoMinutesPass);
  await first.keys.refresh();
  const after = first.cursors.encrypt([], '3');
  expect(after.slice(0, 5)).not.toBe(during.slice(0, 5)); // the id of the key
  for (const { cursors } of [first, second])
    expect([before, during, after].map((token) => cursors.decrypt([], token))).toEqual(['1', '2', '3']);

  await pool.query(`DELETE FROM service_keys WHERE create_time < now() - interval '3 min'`);
  await first.keys.refresh();
  expect([before, during, after].map((token) => first.cursors.decrypt([], token))).toEqual([
    undefined,
    undefined,
    '3',
  ]);
});

test('the only key encrypts at any age', async () => {
  const pool = await openDatabase();
  await pool.query(rotate);
  const { cursors } = await openReplica(pool);
  expect(cursors.decrypt([], cursors.encrypt([], '1'))).toBe('1');
});

test('the table is read every 20 s', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  onTestFinished(() => void vi.useRealTimers());
  const pool = await openDatabase();
  await pool.query(rotate);
  const { keys } = await openReplica(pool);
  for (const count of [2, 3]) {
    await pool.query(rotate);
    vi.advanceTimersByTime(20_000);
    await keys.refresh(); // joins the timer's read
    expect(keys.all).toHaveLength(count);
  }
});

test('keys that cannot be read stay in use, and are stale after a minute', async () => {
  vi.useFakeTimers({ toFake: ['performance'] });
  onTestFinished(() => void vi.useRealTimers());
  const pool = await openDatabase();
  await pool.query(rotate);
  const { keys, cursors, errors } = await openReplica(pool);
  const token = cursors.encrypt([], '1');
  await pool.query('DELETE FROM service_keys');
  await keys.refresh();
  await pool.query('DROP TABLE service_keys');
  vi.advanceTimersByTime(59_999);
  await keys.refresh();
  expect(errors).toHaveLength(2);
  expect(keys.isStale).toBe(false);
  vi.advanceTimersByTime(1);
  expect(keys.isStale).toBe(true);
  expect(cursors.decrypt([], token)).toBe('1');
});

test('a table without the key fails the start', async () => {
  const pool = await openDatabase();
  await expect(openReplica(pool)).rejects.toThrow('the table service_keys has no row page_token');
});
