import { expect, test, vi } from 'vitest';
import { isUnavailable } from '../errors/database-errors.ts';
import { openReadiness } from '../pool/pool.ts';
import { useDataFolder } from '../testing/data-folder.ts';
import { openFeedDatabase } from '../testing/feed-database.ts';
import { change, watcher } from '../testing/feed-watcher.ts';
import { queryOnce } from '../testing/query-once.ts';

const place = useDataFolder();
const patient = { timeout: 30_000 };

test('a feed and the readiness check leave a server that has become read-only, and come back', async () => {
  place.copyTemplate();
  const server = await place.start();
  const url = server.url('postgres');
  const alter = async (change: string) => {
    await queryOnce(url, `ALTER SYSTEM ${change}`);
    await queryOnce(url, 'SELECT pg_reload_conf()');
  };
  const sessions = async () => {
    const rows = await queryOnce(
      url,
      `SELECT pid FROM pg_stat_activity WHERE application_name SIMILAR TO 'test (feed|listening|readiness)'`,
    );
    return rows.map(({ pid }) => pid);
  };
  await using database = await openFeedDatabase(url);
  const errors: unknown[] = [];
  await using feed = database.openFeed({ onError: (error) => errors.push(error) });
  const readiness = openReadiness(url, 'test');
  place.undo.push(readiness.close);
  await readiness.check();
  await using open = watcher(feed);
  await open.next();
  const before = await vi.waitUntil(async () => {
    const pids = await sessions();
    return pids.length >= 3 && pids;
  }, patient);

  await alter('SET default_transaction_read_only = on');
  await expect(vi.waitUntil(() => readiness.check().then(() => false), patient)).rejects.toSatisfy(
    isUnavailable,
  );
  await vi.waitUntil(async () => (await sessions()).every((pid) => !before.includes(pid)), patient);
  expect(errors.every(isUnavailable)).toBe(true);

  await alter('RESET default_transaction_read_only');
  await vi.waitUntil(
    () =>
      readiness.check().then(
        () => true,
        () => false,
      ),
    patient,
  );
  await vi.waitUntil(
    () =>
      change(database.pool, 'A').then(
        () => true,
        () => false,
      ),
    patient,
  );
  await using anew = watcher(feed, { after: 0n });
  expect(await anew.nextChange()).toBe('A1');
});
