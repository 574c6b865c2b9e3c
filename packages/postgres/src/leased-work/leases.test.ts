import { expect, test, vi } from 'vitest';
import { jobTable, openWorkDatabase } from '../testing/work-database.ts';
import { createLeases, type Leased } from './leases.ts';

const longLeaseMs = 3_600_000;

/** Opens the leases of a table with this many due jobs. */
async function openLeases(count: number) {
  const database = await openWorkDatabase();
  const ids = await database.addJobs(count);
  return { ...database, ids, leases: createLeases(database.pool, jobTable) };
}

function idsOf(leased: readonly Leased<{ id: string }>[]): string[] {
  return leased.map(({ item }) => item.id).sort();
}

test('no two workers lease the same item at a time', async () => {
  await using work = await openLeases(40);
  const replicas = Array.from({ length: 4 }, () => createLeases(work.pool, jobTable));
  const taken = await Promise.all(replicas.map((each) => each.leaseDue({ limit: 15, leaseMs: longLeaseMs })));
  const rest = await work.leases.leaseDue({ limit: 100, leaseMs: longLeaseMs });
  expect(idsOf([...taken.flat(), ...rest])).toEqual(work.ids.toSorted());
  for (const leased of taken) expect(leased.length).toBeLessThanOrEqual(15);
  expect(await work.leases.leaseDue({ limit: 100, leaseMs: longLeaseMs })).toEqual([]);
});

test('a worker does not wait for an item that another transaction has locked', async () => {
  await using work = await openLeases(2);
  const [locked, free] = work.ids;
  const client = await work.pool.connect();
  try {
    await client.query('BEGIN');
    await client.query('SELECT FROM jobs WHERE id = $1 FOR UPDATE', [locked]);
    expect(idsOf(await work.leases.leaseDue({ limit: 10, leaseMs: longLeaseMs }))).toEqual([free]);
  } finally {
    await client.query('ROLLBACK');
    client.release();
  }
});

test('an item is leased again after its lease has expired, with one more attempt', async () => {
  await using work = await openLeases(1);
  const lease = () => work.leases.leaseDue({ limit: 10, leaseMs: 1 });
  expect(await lease()).toEqual([{ item: { id: work.ids[0], title: 'job 1' }, attempts: 1 }]);
  await vi.waitFor(async () => expect(await lease()).toMatchObject([{ attempts: 2 }]), 10_000);
});

test('an item that is done is not leased', async () => {
  await using work = await openLeases(2);
  const [done = '', other] = work.ids;
  await work.finish(done);
  expect(idsOf(await work.leases.leaseDue({ limit: 10, leaseMs: longLeaseMs }))).toEqual([other]);
});

/** Returns the backoff of each of 60 items after this many attempts, in ms. */
async function backoffsAfter(attempts: number): Promise<number[]> {
  await using work = await openLeases(60);
  await work.pool.query('UPDATE jobs SET attempts = $1', [attempts]);
  await work.leases.leaseDue({ limit: 70, leaseMs: longLeaseMs });
  const { rows } = await work.pool.query<{ wait: number }>(
    `SELECT extract(epoch FROM due_time - now())::float8 * 1000 AS wait FROM jobs`,
  );
  // Slightly less than the backoff, since some of the lease has passed.
  return rows.map(({ wait }) => wait - longLeaseMs);
}

test.each([
  [0, 250],
  [3, 2000],
  [10, 8_000],
  [1_000_000, 8_000],
])('the backoff after %i attempts is spread over up to %i ms', async (attempts, longestMs) => {
  const backoffs = await backoffsAfter(attempts);
  expect(Math.max(...backoffs)).toBeLessThanOrEqual(longestMs);
  expect(Math.max(...backoffs) - Math.min(...backoffs)).toBeGreaterThan(longestMs / 2);
});

test('an item whose lease is given back is due again before the lease would have expired', async () => {
  await using work = await openLeases(1);
  const leased = await work.leases.leaseDue({ limit: 1, leaseMs: longLeaseMs });
  await work.leases.giveBack(leased, { leaseMs: longLeaseMs });
  const lease = () => work.leases.leaseDue({ limit: 1, leaseMs: longLeaseMs });
  await vi.waitFor(async () => expect(await lease()).toMatchObject([{ attempts: 2 }]), 10_000);
});

test('giveBack skips items that are done or leased by another worker', async () => {
  await using work = await openLeases(2);
  const [done = ''] = work.ids;
  const before = await work.leases.leaseDue({ limit: 2, leaseMs: longLeaseMs });
  await work.finish(done);
  await work.expediteAll();
  const taken = await work.leases.leaseDue({ limit: 2, leaseMs: longLeaseMs });
  await work.leases.giveBack(before, { leaseMs: 2 * longLeaseMs });
  expect(taken).toHaveLength(1);
  expect(await work.leases.leaseDue({ limit: 2, leaseMs: longLeaseMs })).toEqual([]);
});

test('persistent failures get a fixed share of a batch, and the capacity that other items do not use', async () => {
  await using work = await openLeases(300);
  const failing = new Set(work.ids.slice(0, 200));
  await work.pool.query(
    `UPDATE jobs SET attempts = 100, due_time = now() - interval '1 h' WHERE id = ANY ($1)`,
    [[...failing]],
  );
  const lease = () => work.leases.leaseDue({ limit: 64, leaseMs: longLeaseMs });
  const taken = [await lease(), await lease(), await lease()];
  const ofFailing = taken.map((leased) => leased.filter(({ item }) => failing.has(item.id)).length);
  expect(taken.map((leased) => leased.length)).toEqual([64, 64, 64]);
  expect(ofFailing).toEqual([8, 20, 64]);
});

test('a probe leases one item, due or not, and does not count as an attempt', async () => {
  await using work = await openLeases(2);
  const [soonest, later] = work.ids;
  const due = `UPDATE jobs SET due_time = now() + $2 * interval '1 h', attempts = $3 WHERE id = $1`;
  await work.pool.query(due, [soonest, 1, 5]);
  await work.pool.query(due, [later, 2, 0]);
  const probe = () => work.leases.leaseProbe({ leaseMs: 3 * longLeaseMs });
  expect(await probe()).toMatchObject([{ item: { id: soonest }, attempts: 5 }]);
  expect(await probe()).toMatchObject([{ item: { id: later }, attempts: 0 }]);
});

test('a probe leases a persistent failure only if there is no other item', async () => {
  await using work = await openLeases(2);
  const [failing, fresh = ''] = work.ids;
  await work.pool.query('UPDATE jobs SET attempts = 100 WHERE id = $1', [failing]);
  const probe = () => work.leases.leaseProbe({ leaseMs: longLeaseMs });
  expect(await probe()).toMatchObject([{ item: { id: fresh } }]);
  await work.finish(fresh);
  expect(await probe()).toMatchObject([{ item: { id: failing } }]);
});

test('expedite makes waiting items due, except for persistent failures', async () => {
  await using work = await openLeases(3);
  const [failing = '', ...others] = work.ids;
  await work.leases.leaseDue({ limit: 10, leaseMs: longLeaseMs });
  await work.pool.query('UPDATE jobs SET attempts = 100 WHERE id = $1', [failing]);
  await work.leases.expedite();
  expect(idsOf(await work.leases.leaseDue({ limit: 10, leaseMs: longLeaseMs }))).toEqual(others.sort());
});

test('the item that has been due for longest is leased first', async () => {
  await using work = await openLeases(3);
  const [, oldest] = work.ids;
  await work.pool.query(`UPDATE jobs SET due_time = now() - interval '1 h' WHERE id = $1`, [oldest]);
  expect(idsOf(await work.leases.leaseDue({ limit: 1, leaseMs: longLeaseMs }))).toEqual([oldest]);
});
