import { expect, test } from 'vitest';
import type { Pool } from '../pool/pool.ts';
import { openTestPool } from '../testing/open-test-pool.ts';
import { createTestDatabase } from '../testing/test-database.ts';
import { maxPageBytes, type Page, type PageRow, pageSubquery, toPage } from './page.ts';

/** Returns a page of rows with the given sizes, whose ids count from 1. */
async function pageOfSizes(
  pool: Pool,
  sizes: readonly number[],
  { after = 0, limit }: { after?: number; limit: number },
): Promise<Page<number>> {
  const { rows } = await pool.query<PageRow & { id: number }>(
    `SELECT id, found
     FROM ${pageSubquery(
       `SELECT id::int, size_bytes FROM unnest($1::int[]) WITH ORDINALITY AS item (size_bytes, id)
        WHERE id > $2 ORDER BY id LIMIT $3`,
       'id',
     )} AS item
     ORDER BY id`,
    [sizes, after, limit + 1],
  );
  return toPage(rows, limit, ({ id }) => id);
}

test('a page ends when it is full by items or by bytes, and has at least one item', async () => {
  await using database = await createTestDatabase();
  await using pool = openTestPool({ url: database.url, max: 1 });
  const half = maxPageBytes / 2;
  const list = (sizes: readonly number[], page: { after?: number; limit: number }) =>
    pageOfSizes(pool, sizes, page);
  expect(await list([], { limit: 2 })).toEqual({ items: [], hasMore: false });
  expect(await list([1, 1], { limit: 2 })).toEqual({ items: [1, 2], hasMore: false });
  expect(await list([1, 1, 1], { limit: 2 })).toEqual({ items: [1, 2], hasMore: true });
  expect(await list([half, half, 1], { limit: 3 })).toEqual({ items: [1, 2], hasMore: true });
  expect(await list([half, half + 1, 1], { limit: 3 })).toEqual({ items: [1], hasMore: true });
  expect(await list([half, half, maxPageBytes + 1, 1], { after: 2, limit: 3 })).toEqual({
    items: [3],
    hasMore: true,
  });
  expect(await list([half, half, maxPageBytes + 1, 1], { after: 3, limit: 3 })).toEqual({
    items: [4],
    hasMore: false,
  });
});
