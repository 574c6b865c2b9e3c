import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { inject } from 'vitest';

export type TestDatabase = { url: string; [Symbol.asyncDispose](): Promise<void> };

/**
 * A new, empty database on the run's server. Disposing ends whatever is still connected; the database goes with the
 * server, since to drop 200 of them takes a run half a minute.
 */
export async function createTestDatabase(): Promise<TestDatabase> {
  const name = `test_${randomUUID().replaceAll('-', '')}`;
  const url = new URL(inject('postgresUrl'));
  url.pathname = name;
  await onServer(`CREATE DATABASE ${name}`);
  return {
    url: url.href,
    [Symbol.asyncDispose]: () =>
      onServer('SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1', [name]),
  };
}

async function onServer(statement: string, values: string[] = []): Promise<void> {
  const client = new pg.Client({ connectionString: inject('postgresUrl') });
  await client.connect();
  try {
    await client.query(statement, values);
  } finally {
    await client.end();
  }
}
