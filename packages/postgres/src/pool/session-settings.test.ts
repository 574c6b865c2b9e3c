import { once } from 'node:events';
import { mkdtempDisposable, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { isUnavailable } from '../errors/database-errors.ts';
import { migrate } from '../migrations/migrate.ts';
import { startPoolerProxy } from '../testing/pooler-proxy.ts';
import { queryOnce } from '../testing/query-once.ts';
import { createTestDatabase, type TestDatabase } from '../testing/test-database.ts';
import { openPool, openReadiness } from './pool.ts';
import { preferIndexScans } from './prefer-index-scans.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database[Symbol.asyncDispose]());

async function migrationFolder() {
  const folder = await mkdtempDisposable(join(tmpdir(), 'acme-migrations-'));
  await writeFile(join(folder.path, '0001_things.sql'), 'CREATE TABLE made ()');
  return { url: pathToFileURL(folder.path), [Symbol.asyncDispose]: () => folder.remove() };
}

const nameOf = (url: string) => new URL(url).pathname.slice(1);

/** Opens a pool of one connection to `url`. */
function poolOf(url: string, settings = {}) {
  const pool = openPool({ url, settings, max: 1, applicationName: 'test', onError: () => {} });
  return Object.assign(pool, { [Symbol.asyncDispose]: () => pool.end() });
}

async function settingsOf(url: string, ...names: string[]): Promise<unknown> {
  await using pool = poolOf(url, preferIndexScans);
  const { rows } = await pool.query(
    'SELECT array_agg(current_setting(name)) AS values FROM unnest($1::text[]) AS name',
    [names],
  );
  return rows[0].values;
}

describe('values are decoded the same from a database with', () => {
  test.for([
    `DateStyle = 'German'`,
    `DateStyle = 'SQL, DMY'`,
    `DateStyle = 'Postgres, MDY'`,
    `TimeZone = 'America/New_York'`,
    `IntervalStyle = 'iso_8601'`,
    `bytea_output = 'escape'`,
    `extra_float_digits = -15`,
    `search_path = ''`,
    `search_path = elsewhere, public`,
    `default_transaction_isolation = 'serializable'`,
    `standard_conforming_strings = off`,
  ])('%s', async (setting) => {
    await using other = await createTestDatabase();
    await queryOnce(other.url, 'CREATE SCHEMA elsewhere');
    await queryOnce(other.url, `ALTER DATABASE ${nameOf(other.url)} SET ${setting}`);
    await using pool = poolOf(other.url);
    await pool.query('CREATE TABLE things (at timestamptz, age interval, data bytea, share float8)');
    const [at, data] = [new Date('2026-03-04T05:06:07.089Z'), Buffer.from([0, 1, 92, 255])];
    await pool.query('INSERT INTO public.things VALUES ($1, $2, $3, $4)', [
      at,
      '1 day 02:03:04',
      data,
      0.1 + 0.2,
    ]);
    const { rows } = await pool.query(
      `SELECT at, age, data, share, at::text AS text, '\\n' AS backslash, current_setting('transaction_isolation') AS isolation FROM things`,
    );
    expect(rows).toEqual([
      {
        backslash: '\\n',
        at,
        age: expect.objectContaining({ days: 1, hours: 2, minutes: 3, seconds: 4 }),
        data,
        share: 0.1 + 0.2,
        text: '2026-03-04 05:06:07.089+00',
        isolation: 'read committed',
      },
    ]);
  });
});

test('a read-only database is reported', async () => {
  await using other = await createTestDatabase();
  await queryOnce(other.url, `ALTER DATABASE ${nameOf(other.url)} SET default_transaction_read_only = on`);
  await using folder = await migrationFolder();
  await expect(migrate(other.url, folder.url)).rejects.toThrow('read-only transaction');
});

describe('the URL overrides', () => {
  const limits = ['statement_timeout', 'lock_timeout', 'idle_in_transaction_session_timeout', 'search_path'];
  test('limits and the schema by parameters', async () => {
    const query =
      'statement_timeout=2000&lock_timeout=3s&idle_in_transaction_session_timeout=0&search_path=app,public';
    expect(await settingsOf(`${database.url}?${query}`, ...limits)).toEqual(['2s', '3s', '0', 'app,public']);
  });

  test('all settings but the required ones by options', async () => {
    const options =
      '-c statement_timeout=2000 --lock-timeout=3s -cenable_seqscan=on -c jit=off -c search_path=app -c TimeZone=Asia/Tokyo';
    const url = `${database.url}?options=${encodeURIComponent(options)}`;
    expect(await settingsOf(url, ...limits, 'enable_seqscan', 'enable_hashjoin', 'jit', 'TimeZone')).toEqual([
      '2s',
      '3s',
      '10s',
      'app',
      'on',
      'off',
      'off',
      'UTC',
    ]);
  });
});

test('a setting that the server rejects fails the call, and its error names the setting', async () => {
  await using pool = poolOf(`${database.url}?statement_timeout=soon`);
  await expect(pool.query('SELECT 1')).rejects.toThrow(
    'invalid value for parameter "statement_timeout": "soon"',
  );
  expect(pool.totalCount).toBe(0);
});

describe('a call is unavailable and its connection closed when the server, at the settings statement,', () => {
  /** AuthenticationOk and ReadyForQuery. */
  const welcome = Buffer.from('520000000800000000' + '5a0000000549', 'hex');
  test.for([
    ['closes the connection', (socket: Socket) => socket.destroy()],
    ['does not answer', () => {}],
  ] as const)('%s', async ([, answer]) => {
    const server = createServer((socket) => {
      socket.on('error', () => {});
      socket.once('data', () => {
        socket.once('data', () => answer(socket));
        socket.write(welcome);
      });
    });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    await using _ = server;
    await using pool = poolOf(`postgres://r1:x@127.0.0.1:${(server.address() as AddressInfo).port}/any`);
    const failures = await Promise.allSettled([pool.query('SELECT 1'), pool.query('SELECT 1')]);
    expect(failures.map((each) => each.status === 'rejected' && isUnavailable(each.reason))).toEqual([
      true,
      true,
    ]);
    expect(pool.totalCount).toBe(0);
  });
});

test('no startup parameter is sent that PgBouncer rejects', async () => {
  await using proxy = await startPoolerProxy(Number(new URL(database.url).port));
  const url = new URL(database.url);
  url.port = String(proxy.port);
  url.search =
    '?statement_timeout=2000&lock_timeout=1000&idle_in_transaction_session_timeout=1000&search_path=public';
  await using pool = poolOf(url.href, preferIndexScans);
  await pool.query('SELECT 1');
  await using folder = await migrationFolder();
  await migrate(url.href, folder.url);
  const readiness = openReadiness(url.href, 'test');
  await readiness.check();
  await readiness.close();
  expect(proxy.startups).toHaveLength(3);
  for (const startup of proxy.startups) {
    expect(Object.keys(startup).sort()).toEqual(['application_name', 'client_encoding', 'database', 'user']);
  }
});

test('tables that only the server’s own search_path finds are not created again in another schema', async () => {
  await using other = await createTestDatabase();
  await using folder = await migrationFolder();
  await queryOnce(other.url, 'CREATE SCHEMA app');
  const inApp = `${other.url}?search_path=app`;
  await migrate(inApp, folder.url);
  await queryOnce(other.url, `ALTER DATABASE ${nameOf(other.url)} SET search_path = app`);
  await expect(migrate(other.url, folder.url)).rejects.toThrow(
    'add the parameter search_path=app to the database URL',
  );
  expect(await migrate(inApp, folder.url)).toEqual([]);
});
