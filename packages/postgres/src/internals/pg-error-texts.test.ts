import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import pg from 'pg';
import { expect, test } from 'vitest';
import { queryOnce } from '../testing/query-once.ts';
import { createTestDatabase } from '../testing/test-database.ts';
import { isConnectionLoss } from './pg-error-texts.ts';

const select = 'SELECT 1';

async function connectTo(connectionString: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString });
  client.on('error', () => {});
  await client.connect();
  return client;
}

/** Starts a server that accepts connections and never answers. */
async function startSilentServer() {
  const server = createServer();
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  return { url: `postgres://user:x@127.0.0.1:${port}/any`, [Symbol.dispose]: () => void server.close() };
}

/** Each text that `isConnectionLoss` knows, from the library that throws it. */
const losses: [text: string, lose: (url: string) => Promise<unknown>][] = [
  [
    'timeout exceeded when trying to connect',
    async (connectionString) => {
      const pool = new pg.Pool({ connectionString, max: 1 });
      const client = await pool.connect();
      // Not for the first connection, which a busy machine delays.
      pool.options.connectionTimeoutMillis = 20;
      return pool.query(select).finally(() => {
        client.release();
        return pool.end();
      });
    },
  ],
  [
    'timeout expired',
    async () => {
      using silent = await startSilentServer();
      const client = new pg.Client({ connectionString: silent.url, connectionTimeoutMillis: 20 });
      await client.connect();
    },
  ],
  [
    'Query read timeout',
    async (connectionString) => {
      const client = await connectTo(`${connectionString}?query_timeout=20`);
      const { rows } = await client.query('SELECT pg_backend_pid() AS pid');
      return client.query('SELECT pg_sleep(60)').finally(async () => {
        await queryOnce(connectionString, 'SELECT pg_terminate_backend($1)', [rows[0].pid]);
      });
    },
  ],
  [
    'Connection terminated',
    async (url) => {
      const client = await connectTo(url);
      const running = client.query('SELECT pg_sleep(60)');
      client.connection.stream.destroy();
      return running;
    },
  ],
  [
    'Client has encountered a connection error and is not queryable',
    async (url) => {
      const client = await connectTo(url);
      client.connection.stream.destroy(new Error('broken'));
      await new Promise((resolve) => client.once('end', resolve));
      return client.query(select);
    },
  ],
  [
    'Client was closed and is not queryable',
    async (url) => {
      const client = await connectTo(url);
      await client.end();
      return client.query(select);
    },
  ],
  [
    'Cannot use a pool after calling end on the pool',
    async (connectionString) => {
      const pool = new pg.Pool({ connectionString });
      await pool.end();
      return pool.query(select);
    },
  ],
];

test.for(losses)('%s', async ([text, lose]) => {
  await using database = await createTestDatabase();
  const failure = await lose(database.url).catch((error: unknown) => error);
  expect(failure).toMatchObject({ message: expect.stringMatching(`^${text}`) });
  expect(isConnectionLoss(failure as Error)).toBe(true);
});

test('a statement’s own error is no connection loss', async () => {
  await using database = await createTestDatabase();
  const failure = await queryOnce(database.url, 'SELECT FROM nowhere').catch((error: Error) => error);
  expect(isConnectionLoss(failure as Error)).toBe(false);
});
