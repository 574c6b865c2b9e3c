import { randomUUID } from 'node:crypto';
import { migrate } from '@acme/postgres/migrations';
import { createTestDatabase, openTestPool } from '@acme/postgres/testing';
import { createFakes } from '@acme/rpc/testing';
import { test as base, expect } from 'vitest';
import { createSparePartStore } from './spare-part-store.ts';

/** A signal that is never aborted. */
const { signal } = new AbortController();

const { now, newId } = createFakes();

/** Test with a database that all tests of the file share, and with its own owner. */
const test = base
  // biome-ignore lint/correctness/noEmptyPattern: vitest parses the parameter to find the fixtures that it uses.
  .extend('pool', { scope: 'file' }, async ({}, { onCleanup }) => {
    await using opened = new AsyncDisposableStack();
    const { url } = opened.use(await createTestDatabase());
    await migrate(url, new URL('../migrations/', import.meta.url));
    const pool = opened.use(openTestPool({ url, max: 10 }));
    const kept = opened.move();
    onCleanup(() => kept.disposeAsync());
    return pool;
  })
  .extend('store', ({ pool }) => createSparePartStore(pool, { now, newId }))
  .extend('ownerId', () => `owner-${randomUUID()}`);

test('identical concurrent requests create one spare part', async ({ store, pool, ownerId }) => {
  const sparePart = { ownerId, requestId: randomUUID(), title: 'blue' };
  const created = await Promise.all(Array.from({ length: 20 }, () => store.create(sparePart, signal)));
  const [first] = created;
  expect(first).toMatchObject({ id: expect.any(String), ownerId, title: 'blue', createTime: now() });
  for (const each of created) expect(each).toEqual(first);
  const { rows } = await pool.query('SELECT id FROM spare_parts WHERE owner_id = $1', [ownerId]);
  expect(rows).toEqual([{ id: first?.id }]);
});

test('a request_id that is reused for other content is rejected and changes nothing', async ({
  store,
  ownerId,
}) => {
  const sparePart = { ownerId, requestId: randomUUID(), title: 'blue' };
  const first = await store.create(sparePart, signal);
  await expect(store.create({ ...sparePart, title: 'red' }, signal)).rejects.toMatchObject({
    problem: { kind: 'REQUEST_ID_REUSED', requestId: sparePart.requestId, sparePartId: first.id },
  });
  expect(await store.create(sparePart, signal)).toEqual(first);
});

test('two owners may use the same request_id, each for a spare part of its own', async ({
  store,
  ownerId,
}) => {
  const sparePart = { ownerId, requestId: randomUUID(), title: 'blue' };
  const other = { ...sparePart, ownerId: `not-${ownerId}`, title: 'red' };
  const [mine, theirs] = [await store.create(sparePart, signal), await store.create(other, signal)];
  expect(theirs.id).not.toBe(mine.id);
  expect(mine.title).toBe('blue');
  // <list>
  expect((await store.list({ ownerId, before: undefined, limit: 50 }, signal)).items).toEqual([mine]);
  // </list>
});
// <get>

test('another owner cannot read a spare part', async ({ store, ownerId }) => {
  const mine = await store.create({ ownerId, requestId: randomUUID(), title: 'blue' }, signal);
  expect(await store.get(mine.id, `not-${ownerId}`, signal)).toBeUndefined();
  expect(await store.get(mine.id, ownerId, signal)).toEqual(mine);
  expect(await store.get(mine.id, undefined, signal)).toEqual(mine);
});
// </get>
// <list>

test('a list continues after the last item of its page, newest first', async ({ store, ownerId }) => {
  const titles = ['first', 'second', 'third', 'fourth', 'fifth'];
  for (const title of titles) await store.create({ ownerId, requestId: randomUUID(), title }, signal);
  const listed: string[] = [];
  let before: string | undefined;
  do {
    const page = await store.list({ ownerId, before, limit: 2 }, signal);
    listed.push(...page.items.map(({ title }) => title));
    before = page.hasMore ? page.items.at(-1)?.id : undefined;
  } while (before !== undefined);
  expect(listed).toEqual(titles.toReversed());
});
// </list>
