import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { type Embedded, startEmbedded } from '../embedded/embedded.ts';
import { openPool, type Pool } from '../pool/pool.ts';
import { createTestDatabase, type TestDatabase } from '../testing/test-database.ts';
import { isTimeout, isUnavailable } from './database-errors.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database[Symbol.asyncDispose]());

function poolOn(url: string, max = 1): Pool {
  return openPool({ url, max, applicationName: 'test', onError: () => {} });
}

async function failureOf(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => expect.unreachable('the promise did not reject'),
    (error) => error,
  );
}

async function backendOf(client: pg.ClientBase): Promise<number> {
  return (await client.query('SELECT pg_backend_pid() AS pid')).rows[0].pid;
}

test('a session that the server ended is unavailable, then and afterwards', async () => {
  const pool = poolOn(database.url, 2);
  const [victim, killer] = await Promise.all([pool.connect(), pool.connect()]);
  const lost = once(victim, 'error');
  const pid = await backendOf(victim);
  const running = failureOf(victim.query('SELECT pg_sleep(30)'));
  await killer.query('SELECT pg_terminate_backend($1)', [pid]);
  const error = await running;
  expect(error).toMatchObject({ code: '57P01' });
  expect(isUnavailable(error)).toBe(true);
  expect((await lost).map(isUnavailable)).toEqual([true]);
  const later = await failureOf(victim.query('SELECT 1'));
  expect(later).toMatchObject({ message: expect.stringContaining('not queryable') });
  expect(isUnavailable(later)).toBe(true);
  victim.release(true);
  killer.release();
  await pool.end();
  expect(isUnavailable(await failureOf(pool.query('SELECT 1')))).toBe(true);
});

test('a full pool is unavailable after a second', async () => {
  const pool = poolOn(database.url);
  const client = await pool.connect();
  const startedAt = performance.now();
  expect(isUnavailable(await failureOf(pool.query('SELECT 1')))).toBe(true);
  expect(performance.now() - startedAt).toBeLessThan(2_000);
  client.release();
  await pool.end();
});

test('a server without a free connection is unavailable', async () => {
  const admin = poolOn(database.url);
  await admin.query(`CREATE ROLE full_role LOGIN PASSWORD 'x' CONNECTION LIMIT 0`);
  const url = new URL(database.url);
  url.username = 'full_role';
  url.password = 'x';
  const error = await failureOf(poolOn(url.href).query('SELECT 1'));
  expect(error).toMatchObject({ code: '53300' });
  expect(isUnavailable(error)).toBe(true);
  await admin.query('DROP ROLE full_role');
  await admin.end();
});

test('a paused server is unavailable', async () => {
  const pool = poolOn(`${database.url}?query_timeout=200`);
  const client = await pool.connect();
  const pid = await backendOf(client);
  process.kill(pid, 'SIGSTOP');
  const error = await failureOf(client.query('SELECT 1'));
  process.kill(pid, 'SIGCONT');
  expect(error).toMatchObject({ message: 'Query read timeout' });
  expect(isUnavailable(error)).toBe(true);
  client.release(true);
  await pool.end();
});

test('a server that accepts and never answers is unavailable', async () => {
  const silent = createServer().listen(0, '127.0.0.1');
  await once(silent, 'listening');
  const { port } = silent.address() as AddressInfo;
  const url = `postgres://user:x@127.0.0.1:${port}/any`;
  expect(isUnavailable(await failureOf(poolOn(url).query('SELECT 1')))).toBe(true);
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 100 });
  expect(isUnavailable(await failureOf(client.connect()))).toBe(true);
  silent.close();
});

test('a transaction idle for too long is unavailable', async () => {
  const pool = poolOn(`${database.url}?idle_in_transaction_session_timeout=50`);
  const client = await pool.connect();
  const ended = once(client, 'error');
  await client.query('BEGIN');
  const [error] = await ended;
  expect(error).toMatchObject({ code: '25P03' });
  expect(isUnavailable(error)).toBe(true);
  client.release(true);
  await pool.end();
});

test('a transaction that the database ends after transaction_timeout is unavailable', async () => {
  const pool = poolOn(database.url);
  const client = await pool.connect();
  const ended = once(client, 'error');
  await client.query(`SET transaction_timeout = 50`);
  await client.query('BEGIN');
  const [error] = await ended;
  expect(error).toMatchObject({ code: '25P04' });
  expect(isUnavailable(error)).toBe(true);
  client.release(true);
  await pool.end();
});

test('a socket, a port and a name without a server are unavailable', async () => {
  for (const [host, code] of [
    ['/nowhere', 'ENOENT'],
    ['127.0.0.1', 'ECONNREFUSED'],
    ['nowhere.invalid', /ENOTFOUND|EAI_AGAIN/],
  ] as const) {
    const client = new pg.Client({ host, port: 1, user: 'any', password: 'any' });
    const error = await failureOf(client.connect());
    expect(error).toMatchObject({ code: expect.stringMatching(code) });
    expect(isUnavailable(error)).toBe(true);
  }
});

test('other errors are not unavailable', async () => {
  const pool = poolOn(database.url);
  expect(isUnavailable(await failureOf(pool.query('SELECT FROM nowhere')))).toBe(false);
  await pool.end();
  const url = new URL(database.url);
  url.pathname = 'no_such_database';
  expect(isUnavailable(await failureOf(poolOn(url.href).query('SELECT 1')))).toBe(false);
  expect(isUnavailable(await failureOf(readFile('/nowhere/file')))).toBe(false);
  expect(isUnavailable(undefined)).toBe(false);
});

test('a slow statement and a long wait for a lock are timeouts', async () => {
  const pool = poolOn(`${database.url}?statement_timeout=100`, 2);
  const slow = await failureOf(pool.query('SELECT pg_sleep(30)'));
  expect([isTimeout(slow), isUnavailable(slow)]).toEqual([true, false]);

  await pool.query('CREATE TABLE locked ()');
  const holder = await pool.connect();
  await holder.query('BEGIN; LOCK locked');
  const waiter = await pool.connect();
  await waiter.query('SET lock_timeout = 50');
  const waited = await failureOf(waiter.query('SELECT FROM locked'));
  expect(waited).toMatchObject({ code: '55P03' });
  expect([isTimeout(waited), isUnavailable(waited)]).toEqual([true, false]);
  holder.release(true);
  waiter.release(true);
  await pool.end();
});

test('a server is unavailable from a crash until it has recovered, while it stops and after it has stopped', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'acme-errors-'));
  const embedded: Embedded = await startEmbedded({ dataFolder: folder });
  const pool = poolOn(embedded.url('postgres'), 2);
  const connect = async () => {
    const client = await pool.connect();
    client.on('error', () => {});
    return client;
  };
  const [victim, other] = [await connect(), await connect()];
  const pid = await backendOf(victim);
  const interrupted = failureOf(other.query('SELECT pg_sleep(30)'));
  process.kill(pid, 'SIGKILL');
  // The server ends all sessions, and says why (57P02) in a notice.
  expect(isUnavailable(await interrupted)).toBe(true);
  for (const client of [victim, other]) client.release(true);
  // While it recovers it answers 57P03, or does not listen.
  const outcomes = new Set<unknown>();
  const attempt = () => pool.query('SELECT 1').then(() => 'answered', isUnavailable);
  await vi.waitUntil(async () => outcomes.add(await attempt()).has('answered'), { timeout: 30_000 });
  expect(outcomes).not.toContain(false);

  const client = await connect();
  const running = failureOf(client.query('SELECT pg_sleep(30)'));
  await embedded.close();
  expect(isUnavailable(await running)).toBe(true);
  client.release(true);
  expect(isUnavailable(await failureOf(pool.query('SELECT 1')))).toBe(true);
  await pool.end();
  await rm(folder, { recursive: true });
}, 60_000);
