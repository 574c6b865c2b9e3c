import { randomUUID } from 'node:crypto';
import { inject } from 'vitest';
import { queryOnce } from './query-once.ts';

export interface TestDatabase extends AsyncDisposable {
  readonly url: string;
}

/**
 * Creates an empty database on the run's server. Disposing closes its connections. The database is removed with the server,
 * because dropping every database would slow down the run.
 */
export async function createTestDatabase(): Promise<TestDatabase> {
  const server = inject('postgresUrl');
  const name = `test_${randomUUID().replaceAll('-', '')}`;
  const url = new URL(server);
  url.pathname = name;
  await queryOnce(server, `CREATE DATABASE ${name}`);
  return {
    url: url.href,
    [Symbol.asyncDispose]: async () => {
      const end = 'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1';
      await queryOnce(server, end, [name]);
    },
  };
}
