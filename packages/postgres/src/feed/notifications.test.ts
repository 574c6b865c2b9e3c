import type { Socket } from 'node:net';
import { expect, test } from 'vitest';
import type { Pool } from '../pool/pool.ts';
import { openFeedDatabase } from '../testing/feed-database.ts';
import { startNotices } from './notifications.ts';

/** A process that counts the notices of others. */
function startProcess(pool: Pool) {
  let heard = 0;
  const notices = startNotices({ pool, channel: 'thing_events', onNotice: () => heard++, onError: () => {} });
  return { ...notices, heard: () => heard, [Symbol.asyncDispose]: notices.close };
}

test('ensure a notice reaches the other processes and not its own, and many at once are few', async () => {
  await using database = await openFeedDatabase();
  await using one = startProcess(database.pool);
  await using other = startProcess(database.pool);
  // Each looks once when it has begun to listen.
  await expect.poll(one.heard).toBe(1);
  await expect.poll(other.heard).toBe(1);
  for (let change = 0; change < 1000; change++) one.announce();
  await expect.poll(other.heard).toBe(2);
  other.announce();
  await expect.poll(one.heard).toBe(2);
  expect(other.heard()).toBe(2);
});

test('listens again after its connection was lost', async () => {
  await using database = await openFeedDatabase();
  await using one = startProcess(database.pool);
  await using other = startProcess(database.pool);
  await expect.poll(one.heard).toBe(1);
  await database.pool.query(
    `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'LISTEN%'`,
  );
  await expect.poll(one.heard).toBe(2);
  other.announce();
  await expect.poll(one.heard).toBe(3);
});

test('ensure a connection that is lost just as it begins to listen ends nothing but the attempt', async () => {
  await using database = await openFeedDatabase();
  const unhandled: unknown[] = [];
  const note = (error: unknown) => unhandled.push(error);
  process.on('unhandledRejection', note);
  try {
    // pg's types do not know of a client's socket.
    database.pool.once('acquire', (client: object) => {
      (client as { connection: { stream: Socket } }).connection.stream.destroy();
    });
    await using one = startProcess(database.pool);
    await expect.poll(one.heard).toBe(1);
    expect(unhandled).toEqual([]);
  } finally {
    process.off('unhandledRejection', note);
  }
});
