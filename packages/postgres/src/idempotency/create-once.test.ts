import { randomUUID } from 'node:crypto';
import { test as base, describe, expect } from 'vitest';
import type { Pool } from '../pool/pool.ts';
import { openTestPool } from '../testing/open-test-pool.ts';
import { createTestDatabase } from '../testing/test-database.ts';
import { type Tx, transaction } from '../transaction/transaction.ts';
import {
  type Creation,
  type CreationTable,
  createAllOnce,
  createOnce,
  fingerprintOf,
} from './create-once.ts';

interface Note extends Creation {
  readonly author: string;
  readonly title: string;
}

interface StoredNote {
  readonly id: string;
  readonly title: string;
}

class ReusedError extends Error {}

const notes: CreationTable<Note, { id: string; title: string }, StoredNote> = {
  table: 'notes',
  ownerColumn: 'author',
  ownerOf: ({ author }) => author,
  columns: 'notes.id, notes.title',
  fromRow: ({ id, title }) => ({ id, title }),
  reused: (_note, id) => new ReusedError(`created ${id}`),
};

/** Test with a table that all tests of the file share, and with its own author. */
const test = base
  // biome-ignore lint/correctness/noEmptyPattern: vitest parses the parameter to find the fixtures that it uses.
  .extend('pool', { scope: 'file' }, async ({}, { onCleanup }) => {
    await using opened = new AsyncDisposableStack();
    const { url } = opened.use(await createTestDatabase());
    const pool = opened.use(openTestPool({ url, max: 10 }));
    await pool.query(`
      CREATE TABLE notes (id uuid PRIMARY KEY, author text NOT NULL, request_id uuid,
                          fingerprint bytea, title text NOT NULL,
                          CONSTRAINT notes_request_once UNIQUE (author, request_id))`);
    const kept = opened.move();
    onCleanup(() => kept.disposeAsync());
    return pool;
  })
  .extend('author', () => `author-${randomUUID()}`);

function note(author: string, title: string, requestId: string = randomUUID()): Note {
  return { id: randomUUID(), author, requestId, title, fingerprint: fingerprintOf(title) };
}

async function insertAll(tx: Tx, items: readonly Note[]): Promise<Map<string, StoredNote>> {
  const { rows } = await tx.query<{ id: string; title: string }>({
    name: 'insert-notes',
    text: `INSERT INTO notes (id, author, request_id, fingerprint, title)
           SELECT id, author, "requestId", decode(fingerprint, 'hex'), title
           FROM jsonb_to_recordset($1) AS new (id uuid, author text, "requestId" uuid, fingerprint text, title text)
           ORDER BY author, "requestId"
           ON CONFLICT ON CONSTRAINT notes_request_once DO NOTHING
           RETURNING id, title`,
    values: [
      JSON.stringify(items.map((item) => ({ ...item, fingerprint: item.fingerprint.toString('hex') }))),
    ],
  });
  return new Map(rows.map((row) => [row.id, row]));
}

const createAll = (pool: Pool, items: readonly Note[]) =>
  createAllOnce(pool, notes, items, () => insertAll(pool, items));

const createOne = (pool: Pool, item: Note) =>
  transaction(pool, (tx) =>
    createOnce(tx, notes, item, async () => (await insertAll(tx, [item])).get(item.id)),
  );

async function titlesOf(pool: Pool, author: string): Promise<string[]> {
  const { rows } = await pool.query<{ title: string }>(
    'SELECT title FROM notes WHERE author = $1 ORDER BY title',
    [author],
  );
  return rows.map(({ title }) => title);
}

describe('a single row', () => {
  test('identical concurrent requests create one row, and all return it', async ({ pool, author }) => {
    const requestId = randomUUID();
    const created = await Promise.all(
      Array.from({ length: 20 }, () => createOne(pool, note(author, 'blue', requestId))),
    );
    expect(new Set(created.map(({ id }) => id)).size).toBe(1);
    expect(await titlesOf(pool, author)).toEqual(['blue']);
  });

  test('a repeated request returns the row as it is now', async ({ pool, author }) => {
    const first = note(author, 'blue');
    await createOne(pool, first);
    await pool.query(`UPDATE notes SET title = 'changed since' WHERE id = $1`, [first.id]);
    expect(await createOne(pool, note(author, 'blue', first.requestId))).toEqual({
      id: first.id,
      title: 'changed since',
    });
  });

  test('a request_id that is reused for other content is rejected and changes nothing', async ({
    pool,
    author,
  }) => {
    const first = note(author, 'blue');
    await createOne(pool, first);
    const reused = createOne(pool, note(author, 'red', first.requestId));
    await expect(reused).rejects.toThrow(new ReusedError(`created ${first.id}`));
    expect(await titlesOf(pool, author)).toEqual(['blue']);
  });

  test('two owners may use the same request_id', async ({ pool, author }) => {
    const mine = note(author, 'blue');
    const theirs = note(`not-${author}`, 'red', mine.requestId);
    expect(await createOne(pool, mine)).toEqual({ id: mine.id, title: 'blue' });
    expect(await createOne(pool, theirs)).toEqual({ id: theirs.id, title: 'red' });
  });

  test('a request that waits for another one which is rolled back creates the row', async ({
    pool,
    author,
  }) => {
    const [first, second] = [note(author, 'blue'), note(author, 'blue')];
    const waiting = Promise.withResolvers<void>();
    const inserted = Promise.withResolvers<void>();
    const failing = transaction(pool, async (tx) => {
      await insertAll(tx, [first]);
      inserted.resolve();
      await waiting.promise;
      throw new Error('rolled back');
    });
    await inserted.promise;
    const created = createOne(pool, { ...second, requestId: first.requestId });
    waiting.resolve();
    await expect(failing).rejects.toThrow('rolled back');
    expect(await created).toEqual({ id: second.id, title: 'blue' });
  });
});

test('a request that is forgotten while it is repeated creates another row', async ({ pool, author }) => {
  const [first, fresh] = [note(author, 'blue'), note(author, 'red')];
  await createAll(pool, [first]);
  const repeat = note(author, 'blue', first.requestId);
  let inserts = 0;
  const created = await createAllOnce(pool, notes, [repeat, fresh], async () => {
    const inserted = await insertAll(pool, [repeat, fresh]);
    if (inserts++ === 0)
      await pool.query('UPDATE notes SET request_id = NULL, fingerprint = NULL WHERE id = $1', [first.id]);
    return inserted;
  });
  expect(created).toEqual([
    { id: repeat.id, title: 'blue' },
    { id: fresh.id, title: 'red' },
  ]);
  expect(await titlesOf(pool, author)).toEqual(['blue', 'blue', 'red']);
});

describe('a batch', () => {
  test('each item gets its own row, its earlier row or its own error', async ({ pool, author }) => {
    const earlier = note(author, 'earlier');
    await createAll(pool, [earlier]);
    const fresh = note(author, 'fresh');
    const batch = [
      note(author, 'earlier', earlier.requestId),
      fresh,
      note(author, 'fresh', fresh.requestId),
      note(author, 'other', earlier.requestId),
    ];
    expect(await createAll(pool, batch)).toEqual([
      { id: earlier.id, title: 'earlier' },
      { id: fresh.id, title: 'fresh' },
      { id: fresh.id, title: 'fresh' },
      new ReusedError(`created ${earlier.id}`),
    ]);
    expect(await titlesOf(pool, author)).toEqual(['earlier', 'fresh']);
  });

  test('two replicas that create the same rows in opposite orders do not deadlock', async ({
    pool,
    author,
  }) => {
    const requestIds = Array.from({ length: 50 }, () => randomUUID());
    const replica = (ids: readonly string[]) =>
      createAll(
        pool,
        ids.map((requestId) => note(author, requestId, requestId)),
      );
    const [first = [], second = []] = await Promise.all([
      replica(requestIds),
      replica(requestIds.toReversed()),
    ]);
    expect(second.toReversed()).toEqual(first);
    expect(await titlesOf(pool, author)).toEqual(requestIds.toSorted());
  });
});

test('the fingerprint depends on all of the content', () => {
  const content = { title: 'a', tags: ['b'] };
  expect(fingerprintOf(content)).toEqual(fingerprintOf(structuredClone(content)));
  expect(fingerprintOf(content)).not.toEqual(fingerprintOf({ ...content, tags: [] }));
  expect(fingerprintOf(content)).toHaveLength(32);
});

test('the fingerprint does not depend on the order of keys, and distinguishes numbers of any size and times', () => {
  const content = { price: { units: 9007199254740993n, currency: 'EUR' }, at: new Date(5), note: undefined };
  const reordered = { at: new Date(5), price: { currency: 'EUR', units: 9007199254740993n } };
  expect(fingerprintOf(reordered)).toEqual(fingerprintOf(content));
  expect(fingerprintOf({ ...content, at: new Date(6) })).not.toEqual(fingerprintOf(content));
  expect(fingerprintOf({ ...content, price: { ...content.price, units: 9007199254740992n } })).not.toEqual(
    fingerprintOf(content),
  );
});

test.each([new Map([['a', 1]]), new Set(['a'])])('a fingerprint of %o is an error', (tags) => {
  expect(() => fingerprintOf({ tags })).toThrow('tags has no JSON for its fingerprint: pass an array');
});
