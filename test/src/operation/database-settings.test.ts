import { queryOnce, startPoolerProxy } from '@acme/postgres/testing';
import { describe, expect, test } from 'vitest';
import { startTestPair, type TestPair } from '../support/start-test-pair.ts';
import { callEveryMethod } from './call-every-method.ts';

/** Changes the types of columns that prepared statements return. */
async function changeColumns({ inventoryDatabase, ordersDatabase }: TestPair): Promise<void> {
  await inventoryDatabase.query('ALTER TABLE stock ALTER COLUMN title TYPE varchar(300)');
  await inventoryDatabase.query('ALTER TABLE stock ALTER COLUMN sku TYPE varchar(100) COLLATE "C"');
  await inventoryDatabase.query('ALTER TABLE stock_events ALTER COLUMN title TYPE varchar(300)');
  await inventoryDatabase.query('ALTER TABLE reservations ALTER COLUMN state TYPE varchar(20)');
  await ordersDatabase.query('ALTER TABLE orders ALTER COLUMN state TYPE varchar(20)');
  await ordersDatabase.query('ALTER TABLE orders ALTER COLUMN customer_id TYPE varchar(300)');
  await ordersDatabase.query('ALTER TABLE order_events ALTER COLUMN state TYPE varchar(20)');
}

test('every method works while a migration changes the types of its columns', async () => {
  await using pair = await startTestPair();
  const callConcurrently = () => Promise.all(Array.from({ length: 12 }, () => callEveryMethod(pair)));
  await callConcurrently();
  await changeColumns(pair);
  await callConcurrently();
});

describe('every method works on a database with the setting', () => {
  test.for([
    `DateStyle = 'German'`,
    `DateStyle = 'SQL, DMY'`,
    `search_path = ''`,
    `default_transaction_isolation = 'repeatable read'`,
  ])('%s', async (setting) => {
    const reachDatabase = async (url: string) => {
      await queryOnce(url, `ALTER DATABASE ${new URL(url).pathname.slice(1)} SET ${setting}`);
      return url;
    };
    await using pair = await startTestPair({ reachDatabase });
    await callEveryMethod(pair);
  });
});

test('every method works behind a pooler that rejects the same start-up parameters as PgBouncer', async () => {
  await using proxies = new AsyncDisposableStack();
  const startups: string[][] = [];
  const reachDatabase = async (href: string) => {
    const url = new URL(href);
    const proxy = proxies.use(await startPoolerProxy(Number(url.port)));
    proxies.defer(() => void startups.push(...proxy.startups.map((each) => Object.keys(each).sort())));
    url.port = String(proxy.port);
    return url.href;
  };
  {
    await using pair = await startTestPair({ reachDatabase });
    await callEveryMethod(pair);
  }
  await proxies.disposeAsync();
  expect(new Set(startups.map(String))).toEqual(new Set(['application_name,client_encoding,database,user']));
});

test('every method works with a URL whose password contains a bare %, and with options', async () => {
  const reachDatabase = async (href: string) => {
    const { host, pathname } = new URL(href);
    const name = pathname.slice(1);
    await queryOnce(href, `CREATE ROLE ${name} LOGIN PASSWORD '50%off'`);
    await queryOnce(href, `ALTER DATABASE ${name} OWNER TO ${name}`);
    return `postgres://${name}:50%off@${host}/${name}?options=-c%20jit%3Doff`;
  };
  await using pair = await startTestPair({ reachDatabase });
  await callEveryMethod(pair);
});
