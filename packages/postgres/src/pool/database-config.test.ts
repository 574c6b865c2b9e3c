import { EnvironmentError, readEnvironment } from '@acme/rpc/config';
import { expect, test } from 'vitest';
import { readDatabaseConfig } from './database-config.ts';

const production = true;

function read(DATABASE_URL: string | undefined, isProduction: boolean, ALLOW_PLAINTEXT_DATABASE?: string) {
  const environment = readEnvironment({ DATABASE_URL, ALLOW_PLAINTEXT_DATABASE });
  const config = readDatabaseConfig(environment, isProduction);
  environment.check();
  return config.databaseUrl;
}

const server = 'postgres://orders:canary@database.example';

test.each([
  `${server}/orders`,
  `${server}/orders?sslmode=disable`,
  `${server}/orders?sslmode=allow`,
  `${server}/orders?sslmode=prefer`,
  `${server}/orders?ssl=0`,
  'postgresql://orders:canary@10.0.0.1:5432/orders',
  'postgres://orders:canary@[2001:db8::1]/orders',
  'postgres:///orders?host=database.example',
  'postgres://orders:canary@localhost/orders?host=database.example',
])('production does not connect to another machine without TLS, unless a variable allows it: %s', (url) => {
  expect(() => read(url, production)).toThrow(
    new EnvironmentError(
      'DATABASE_URL is not valid (it leads to another machine and does not require TLS): expected ' +
        'sslmode=verify-full, or ALLOW_PLAINTEXT_DATABASE=true (NODE_ENV is production unless it is set)',
    ),
  );
  expect(read(url, production, 'true')).toBe(url);
  expect(read(url, false)).toBe(url);
});

test.each([
  `${server}/orders?sslmode=verify-full`,
  `${server}/orders?sslmode=verify-ca`,
  `${server}/orders?sslmode=require`,
  `${server}/orders?sslmode=no-verify`,
  `${server}/orders?ssl=true`,
  'postgres://orders:50%off@localhost/orders',
  'postgres://orders@127.0.0.1:5432/orders',
  'postgres://orders@[::1]/orders',
  'postgres://orders:canary@/orders?host=/run/postgresql',
  'postgres://%2Frun%2Fpostgresql/orders',
])('production connects to %s', (url) => {
  expect(read(url, production)).toBe(url);
});

test.each([
  [undefined, 'DATABASE_URL is missing: expected a URL that starts with postgres:// or postgresql://'],
  [
    'mysql://orders:canary@localhost/orders',
    'DATABASE_URL is not valid (it is not a PostgreSQL URL): expected a URL that starts with postgres:// or postgresql://',
  ],
  [
    'postgres://orders:canary#1@localhost/orders',
    'DATABASE_URL is not valid (write # as %23): expected a URL that starts with postgres:// or postgresql://',
  ],
])('an error names the problem of a URL without the URL: %s', (url, complaint) => {
  expect(() => read(url, production)).toThrow(new EnvironmentError(complaint));
});

test('the direct URL is that of the database unless a variable sets it, and has the same rules', () => {
  const local = 'postgres://orders@localhost/orders';
  const readDirect = (DATABASE_DIRECT_URL?: string) => {
    const environment = readEnvironment({ DATABASE_URL: local, DATABASE_DIRECT_URL });
    const config = readDatabaseConfig(environment, production);
    environment.check();
    return config;
  };
  expect(readDirect()).toEqual({ databaseUrl: local, databaseDirectUrl: local });
  const direct = `${server}/orders?sslmode=verify-full`;
  expect(readDirect(direct)).toEqual({ databaseUrl: local, databaseDirectUrl: direct });
  expect(() => readDirect('mysql://localhost/orders')).toThrow(
    'DATABASE_DIRECT_URL is not valid (it is not a PostgreSQL URL)',
  );
  expect(() => readDirect(`${server}/orders`)).toThrow(
    'DATABASE_DIRECT_URL is not valid (it leads to another machine and does not require TLS)',
  );
});
