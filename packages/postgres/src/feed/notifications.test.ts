import { expect, test } from 'vitest';
import type { Pool } from '../pool/pool.ts';
import { openFeedDatabase } from '../testing/feed-database.ts';
import { startNotifications } from './notifications.ts';

/** A process that counts the notifications of others. */
function startProcess(pool: Pool) {
  let received = 0;
  const notifications = startNotifications({
    pool,
    listeningPool: pool,
    channel: 'thing_events',
    onNotification: () => received++,
    onError: () => {},
  });
  return { ...notifications, received: () => received, [Symbol.asyncDispose]: notifications.close };
}

test('a notification reaches only the other processes, and a burst becomes few', async () => {
  await using database = await openFeedDatabase();
  await using one = startProcess(database.pool);
  await using other = startProcess(database.pool);
  // Each is called once when it has begun to listen.
  await expect.poll(one.received).toBe(1);
  await expect.poll(other.received).toBe(1);
  for (let change = 0; change < 1000; change++) one.notify();
  await expect.poll(other.received).toBe(2);
  other.notify();
  await expect.poll(one.received).toBe(2);
  expect(other.received()).toBe(2);
});

test('a process listens again after its connection was lost', async () => {
  await using database = await openFeedDatabase();
  await using one = startProcess(database.pool);
  await using other = startProcess(database.pool);
  await expect.poll(one.received).toBe(1);
  await database.pool.query(
    `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()`,
  );
  await expect.poll(one.received).toBe(2);
  other.notify();
  await expect.poll(one.received).toBe(3);
});

test('a connection that is lost just as it begins to listen ends only the attempt', async () => {
  await using database = await openFeedDatabase();
  const unhandled: unknown[] = [];
  const record = (error: unknown) => unhandled.push(error);
  process.on('unhandledRejection', record);
  try {
    database.pool.once('acquire', ({ connection }) => connection.stream.destroy());
    await using one = startProcess(database.pool);
    await expect.poll(one.received).toBe(1);
    expect(unhandled).toEqual([]);
  } finally {
    process.off('unhandledRejection', record);
  }
});
