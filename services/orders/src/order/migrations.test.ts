import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { migrate } from '@acme/postgres/migrations';
import { createTestDatabase, openTestPool } from '@acme/postgres/testing';
import { expect, test } from 'vitest';
import { openOrdersDatabase } from '../testing/orders-database.ts';

const migrations = new URL('../../migrations/', import.meta.url);

/** Inserts an order and its event as the release before migration 0004 does. */
const placeAsPreviousRelease = `
  WITH placed AS (
    INSERT INTO orders (id, customer_id, request_id, fingerprint, lines, state, create_time, update_time, settle_after)
    SELECT gen_random_uuid(), customer, gen_random_uuid(), '', '[]', 'PENDING', now(), now(), now()
    FROM unnest($1::text[]) AS customer
    RETURNING id, version, state
  )
  INSERT INTO order_events (order_id, version, state, event_time) SELECT id, version, state, now() FROM placed`;

const customers = 'SELECT customer FROM order_events ORDER BY customer';

test('an order and an event that a replica of the previous release writes get a size and a customer', async () => {
  await using database = await openOrdersDatabase();
  await database.pool.query(placeAsPreviousRelease, [['alice', 'bob']]);
  const sizes = await database.pool.query('SELECT DISTINCT lines_bytes FROM orders');
  expect(sizes.rows).toEqual([{ lines_bytes: '[]'.length }]);
  expect((await database.pool.query(customers)).rows).toEqual([{ customer: 'alice' }, { customer: 'bob' }]);
});

test('events from before the migration get the customers of their orders', async () => {
  await using opened = new AsyncDisposableStack();
  const { url } = opened.use(await createTestDatabase());
  const folder = await mkdtemp(join(tmpdir(), 'acme-migrations-'));
  opened.defer(() => rm(folder, { recursive: true }));
  for (const name of ['0001_orders.sql', '0002_settling.sql', '0003_change_feeds.sql'])
    await cp(new URL(name, migrations), join(folder, name));
  await migrate(url, pathToFileURL(folder));
  const pool = opened.use(openTestPool({ url, max: 2 }));
  await pool.query(placeAsPreviousRelease, [['alice', 'bob']]);
  await migrate(url, migrations);
  expect((await pool.query(customers)).rows).toEqual([{ customer: 'alice' }, { customer: 'bob' }]);
});
