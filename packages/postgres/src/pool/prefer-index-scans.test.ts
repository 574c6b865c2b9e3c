import { expect, test } from 'vitest';
import { createTestDatabase } from '../testing/test-database.ts';
import { openPool } from './pool.ts';
import { preferIndexScans } from './prefer-index-scans.ts';
import type { SessionSettings } from './session-settings.ts';

/** How a batch's statement walks through the table when its plan was made while that was empty, and kept. */
async function planMadeEarly(url: string, settings: SessionSettings): Promise<string> {
  const pool = openPool({ url, settings, max: 1, applicationName: 'test', onError: () => {} });
  try {
    await pool.query(`CREATE TEMP TABLE things (id int PRIMARY KEY, state text);
                      SET plan_cache_mode = force_generic_plan;
                      PREPARE change (jsonb) AS
                        UPDATE things SET state = 'new' FROM jsonb_to_recordset($1) AS changed (id int)
                        WHERE things.id = changed.id;
                      EXECUTE change ('[]');
                      INSERT INTO things SELECT n, 'old' FROM generate_series(1, 10000) AS n`);
    const { rows } = await pool.query<{ 'QUERY PLAN': string }>(`EXPLAIN EXECUTE change ('[]')`);
    return rows.map((row) => row['QUERY PLAN']).join('\n');
  } finally {
    await pool.end();
  }
}

test('ensures a plan that was made while the table was empty walks an index, and not the whole table', async () => {
  await using database = await createTestDatabase();
  expect(await planMadeEarly(database.url, preferIndexScans)).toContain('Index Scan using things_pkey');
  // What it is there for.
  expect(await planMadeEarly(database.url, {})).toContain('Seq Scan on things');
});
