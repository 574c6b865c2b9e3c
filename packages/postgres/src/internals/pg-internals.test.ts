import pg from 'pg';
import { expect, test } from 'vitest';
import { queryOnce } from '../testing/query-once.ts';
import { createTestDatabase } from '../testing/test-database.ts';
import { asCancellable, type StatementConfig } from './pg-internals.ts';

test('a connected client has its backend’s process id and key', async () => {
  await using database = await createTestDatabase();
  const client = new pg.Client({ connectionString: database.url });
  await client.connect();
  const { rows } = await client.query('SELECT pg_backend_pid() AS pid');
  const { processID, secretKey, ssl, sslNegotiation } = asCancellable(client);
  expect(processID).toBe(rows[0].pid);
  expect(secretKey).toEqual(expect.any(Number));
  expect([ssl, sslNegotiation]).toEqual([false, 'postgres']);
  await client.end();
});

test('a client has the TLS options of its configuration', () => {
  const config = { ssl: { ca: 'an authority' }, sslnegotiation: 'direct' } as const;
  expect(asCancellable(new pg.Client(config))).toMatchObject({
    ssl: { ca: 'an authority' },
    sslNegotiation: 'direct',
  });
});

test('a statement ends after its own query_timeout', async () => {
  await using database = await createTestDatabase();
  const client = new pg.Client({ connectionString: database.url });
  await client.connect();
  const statement: StatementConfig = { text: 'SELECT pg_sleep(60)', query_timeout: 50 };
  await expect(client.query(statement)).rejects.toThrow('Query read timeout');
  await queryOnce(database.url, 'SELECT pg_cancel_backend($1)', [asCancellable(client).processID]);
  await client.end();
});
