// <settle>
import { randomUUID } from 'node:crypto';
import { migrate } from '@acme/postgres/migrations';
import { createTestDatabase, openTestPool } from '@acme/postgres/testing';
import { createLogger } from '@acme/rpc/logging';
import { createFakes } from '@acme/rpc/testing';
import { expect, test } from 'vitest';
import { startSettler } from './settler.ts';
import { createSettlementStore } from './settlement-store.ts';
import { createSparePartStore } from './spare-part-store.ts';

/** A signal that is never aborted. */
const { signal } = new AbortController();

test('work that fails is attempted again until it is done, and then never again', async () => {
  await using opened = new AsyncDisposableStack();
  const { url } = opened.use(await createTestDatabase());
  await migrate(url, new URL('../migrations/', import.meta.url));
  const pool = opened.use(openTestPool({ url, max: 4 }));
  const fakes = createFakes();
  const store = createSparePartStore(pool, fakes);
  const owner = { ownerId: 'owner', requestId: randomUUID() };
  const { id, state } = await store.create({ ...owner, title: 'blue' }, signal);
  expect(state).toBe('PENDING');
  let attempts = 0;
  // <watch>
  let notifications = 0;
  // </watch>
  const settler = opened.adopt(
    startSettler({
      store: createSettlementStore(pool, fakes.now),
      work: {
        run: async () => {
          attempts += 1;
          if (attempts < 3) throw new Error('the outcome is unknown');
        },
        // <calls>
        circuitState: () => 'closed',
        // </calls>
      },
      // <watch>
      onSettled: () => {
        notifications += 1;
      },
      // </watch>
      log: createLogger({ service: 'depot', level: 'silent' }),
    }),
    (each) => each.stop(),
  );
  const stored = async () =>
    (await pool.query<{ state: string }>('SELECT state FROM spare_parts WHERE id = $1', [id])).rows[0];
  await expect.poll(async () => (await stored())?.state).toBe('STORED');
  await settler.stop();
  expect(attempts).toBe(3);
  // <watch>
  expect(notifications).toBe(1);
  // </watch>
  const { rows } = await pool.query('SELECT FROM spare_parts WHERE settle_after IS NOT NULL');
  expect(rows).toEqual([]);
});
// </settle>
