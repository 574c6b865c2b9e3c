import { openPool, type Pool } from '@acme/postgres/pool';
import { createTestDatabase } from '@acme/postgres/testing';
import { transaction } from '@acme/postgres/transaction';
import { test as base, expect } from 'vitest';
import { type HeldMessage, startPostgresProxy } from './postgres-proxy.ts';

/** A table of numbers, with one pool through the proxy and one directly to the database. */
const test = base
  // biome-ignore lint/correctness/noEmptyPattern: vitest wants to see that it uses no other fixture.
  .extend('line', async ({}, { onCleanup }) => {
    const opened = new AsyncDisposableStack();
    onCleanup(() => opened.disposeAsync());
    const database = opened.use(await createTestDatabase());
    const url = new URL(database.url);
    const proxy = opened.use(await startPostgresProxy({ host: url.hostname, port: Number(url.port) }));
    const open = (href: string) =>
      opened.adopt(openPool({ url: href, max: 2, applicationName: 'test', onError: () => {} }), (pool) =>
        pool.end(),
      );
    const direct = open(url.href);
    url.port = String(proxy.port);
    const proxied = open(url.href);
    await direct.query('CREATE TABLE numbers (n int)');
    return { proxy, proxied, direct };
  });

const insert = { name: 'insert-number', text: 'INSERT INTO numbers VALUES ($1)', values: [1] };

async function numbers(pool: Pool): Promise<number[]> {
  return (await pool.query<{ n: number }>('SELECT n FROM numbers ORDER BY n')).rows.map(({ n }) => n);
}

test('statements without a trap are forwarded', async ({ line: { proxied, direct } }) => {
  for (const n of [1, 2]) await proxied.query({ ...insert, values: [n] });
  await transaction(proxied, async (tx) => void (await tx.query('INSERT INTO numbers VALUES ($1)', [3])));
  await expect(proxied.query('SELECT 1 / 0')).rejects.toThrow('division by zero');
  expect(await numbers(direct)).toEqual([1, 2, 3]);
  const { rows } = await proxied.query(`SELECT repeat('x', 1000) FROM generate_series(1, 2000)`);
  expect(rows).toHaveLength(2000);
});

test('a statement that is caught and severed never reaches the database', async ({ line }) => {
  const { proxy, proxied, direct } = line;
  const sprung = proxy.trap({ phase: 'request', statement: 'insert-number', act: ({ sever }) => sever() });
  await expect(proxied.query(insert)).rejects.toThrow();
  await sprung;
  expect(await numbers(direct)).toEqual([]);
  await proxied.query(insert);
  expect(await numbers(direct)).toEqual([1]);
});

test('a response is caught after its statement is executed', async ({ line }) => {
  const { proxy, proxied, direct } = line;
  let seen: number[] | undefined;
  const look = async ({ sever }: HeldMessage) => {
    seen = await numbers(direct);
    sever();
  };
  const sprung = proxy.trap({ phase: 'response', statement: 'insert-number', act: look });
  await expect(proxied.query(insert)).rejects.toThrow();
  await sprung;
  expect(seen).toEqual([1]);
});

test('a COMMIT is executed if it is forwarded before the connection is severed, and not otherwise', async ({
  line,
}) => {
  const { proxy, proxied, direct } = line;
  const commit = async (n: number, act: (held: HeldMessage) => void) => {
    const sprung = proxy.trap({ phase: 'request', statement: 'COMMIT', act });
    const committed = transaction(proxied, (tx) => tx.query('INSERT INTO numbers VALUES ($1)', [n]));
    await expect(committed).rejects.toThrow();
    await sprung;
  };
  await commit(1, ({ sever }) => sever());
  await commit(2, ({ forward, sever }) => {
    forward();
    sever();
  });
  await expect.poll(() => numbers(direct)).toEqual([2]);
});

test('a trap skips the given number of statements and matches the command tag', async ({
  line: { proxy, proxied },
}) => {
  const caught: string[] = [];
  const sprung = proxy.trap({
    phase: 'response',
    statement: /^UPDATE numbers/,
    tag: /^UPDATE [1-9]/,
    skip: 1,
    act: ({ tag, forward }) => {
      caught.push(tag);
      forward();
    },
  });
  const update = () => proxied.query('UPDATE numbers SET n = n WHERE true');
  await update();
  for (const n of [1, 2, 3]) {
    await proxied.query({ ...insert, values: [n] });
    await update();
  }
  await sprung;
  expect(caught).toEqual(['UPDATE 2']);
});

test('disarm rejects the traps that caught nothing', async ({ line: { proxy } }) => {
  const sprung = proxy.trap({ phase: 'request', statement: 'never', act: () => {} });
  const rejected = expect(sprung).rejects.toThrow('no request of never passed');
  await proxy.disarm();
  await rejected;
});
