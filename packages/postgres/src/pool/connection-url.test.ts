import { mkdtempDisposable, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import pg from 'pg';
import { describe, expect, test } from 'vitest';
import { clientConfig, parseDatabaseUrl } from './connection-url.ts';

/** Returns how pg itself resolves the URL. */
function resolvedByPg(url: string) {
  const { host, port, database, user, password } = new pg.Client({ connectionString: url });
  return { host, port, database, user, password };
}

/** Returns how pg resolves the configuration of `clientConfig`. */
function resolvedByConfig(url: string) {
  const { host, port, database, user, password } = new pg.Client(clientConfig(url));
  return { host, port, database, user, password };
}

describe('a URL has the same meaning as for pg:', () => {
  test.for([
    'postgres://r1:50%off@db.example:6543/orders',
    'postgres://r1:50%25off@db.example/orders',
    'postgres://r1:p%23a%3Fb%40c%2Fd%20e@db.example/orders',
    'postgres://r1:p%2Fd%off@db.example/orders',
    'postgres://r1:p%41%zz@db.example/orders',
    'postgres://r1:a b@db.example/orders',
    'postgres://r1:100%@db.example/orders',
    'postgresql:///orders?host=/run/pg',
    'postgres://r1:secret@/orders?host=/run/pg&port=6543',
    'postgres://%2Frun%2Fpg/orders',
    'postgres://db.example/orders?user=r2&password=se%23cret',
    'postgres://r1:secret@[::1]:6543/orders',
    'postgres://r1@db.example',
    'postgres://r1:%E2%82%AC@db.example/orders%20of%20today',
  ])('%s', (url) => {
    expect(resolvedByConfig(url)).toEqual(resolvedByPg(url));
  });
});

test('a bare % in the password does not change the escapes of the query', () => {
  expect(
    clientConfig('postgres://r1:50%off@[::1]/orders?options=-c%20search_path%3Dapp&application_name=100%'),
  ).toEqual({
    user: 'r1',
    password: '50%off',
    host: '::1',
    database: 'orders',
    options: '-c search_path=app',
    application_name: '100%',
  });
});

describe('the server is described without its password:', () => {
  const server = { host: 'db.example', port: 5432, database: 'orders', user: 'r1' };
  const url = 'postgres://r1:secret@db.example/orders';
  test.for([
    [url, { ...server, isLocal: false, isEncrypted: false }],
    [`${url}?sslmode=disable`, { ...server, isLocal: false, isEncrypted: false }],
    [`${url}?sslmode=verify-full`, { ...server, isLocal: false, isEncrypted: true }],
    [`${url}?sslmode=no-verify`, { ...server, isLocal: false, isEncrypted: true }],
    [`${url}?ssl=true`, { ...server, isLocal: false, isEncrypted: true }],
    [`${url}?ssl=no-verify`, { ...server, isLocal: false, isEncrypted: true }],
    [`${url}?sslnegotiation=direct`, { ...server, isLocal: false, isEncrypted: true }],
    ...['localhost', '127.0.0.1', '127.1.2.3', '::1', '/run/pg'].map(
      (host) => [`${url}?host=${host}`, { ...server, host, isLocal: true, isEncrypted: false }] as const,
    ),
    ...['127.evil.example', '::2', '10.0.0.1'].map(
      (host) => [`${url}?host=${host}`, { ...server, host, isLocal: false, isEncrypted: false }] as const,
    ),
  ] as const)('%s', ([given, expected]) => {
    expect(parseDatabaseUrl(given)).toEqual(expected);
  });
});

test('certificates are read from their files, also beside a bare % in the password', async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'acme-url-'));
  const file = join(folder.path, 'ca.pem');
  await writeFile(file, 'an authority');
  const url = `postgres://r1:50%off@db/orders?sslmode=verify-full&sslrootcert=${encodeURIComponent(file)}`;
  expect(clientConfig(url).ssl).toEqual({ ca: 'an authority' });
});

describe('an error names the problem without the password:', () => {
  test.for([
    ['postgres://r1:#hunter2@db/orders', 'write # as %23'],
    ['postgres://r1:hunter2@db:port/orders', 'Invalid URL'],
    ['postgres://r1:?hunter2@db/orders', 'write ? as %3F'],
    ['postgres://r1:hunter2@db/orders?sslnegotiation=sometimes', 'sslnegotiation'],
    ['postgres://r1:hunter2@db/orders?sslmode=verify-full&sslrootcert=/nowhere/ca.pem', '/nowhere/ca.pem'],
    ['postgres://r1:hunter2%E2%82@db/orders', 'URI malformed'],
  ] as const)('%s', ([url, words]) => {
    let failure: unknown;
    try {
      parseDatabaseUrl(url);
    } catch (error) {
      failure = error;
    }
    expect(failure).toMatchObject({ message: expect.stringContaining(words) });
    expect(inspect(failure, { depth: 9 })).not.toContain('hunter2');
  });
});
