import { expect, test } from 'vitest';
import { openTestPool } from '../testing/open-test-pool.ts';
import { createTestDatabase } from '../testing/test-database.ts';
import { preferIndexScans } from './prefer-index-scans.ts';
import type { SessionSettings } from './session-settings.ts';

/** Returns the plan of a batch's statement that was cached while its table was empty. */
async function cachedPlan(url: string, settings: SessionSettings): Promise<string> {
  await using pool = openTestPool({ url, settings, max: 1 });
  await pool.query(`CREATE TEMP TABLE things (id int PRIMARY KEY, state text);
                    SET plan_cache_mode = force_generic_plan;
                    PREPARE change (jsonb) AS
                      UPDATE things SET state = 'new' FROM jsonb_to_recordset($1) AS changed (id int)
                      WHERE things.id = changed.id;
                    EXECUTE change ('[]');
                    INSERT INTO things SELECT n, 'old' FROM generate_series(1, 10000) AS n`);
  const { rows } = await pool.query<{ 'QUERY PLAN': string }>(`EXPLAIN EXECUTE change ('[]')`);
  return rows.map((row) => row['QUERY PLAN']).join('\n');
}

test('a plan that was cached while the table was empty scans an index, not the whole table', async () => {
  await using database = await createTestDatabase();
  expect(await cachedPlan(database.url, preferIndexScans)).toContain('Index Scan using things_pkey');
  // The reason for the settings: without them the whole table is scanned.
  expect(await cachedPlan(database.url, {})).toContain('Seq Scan on things');
});
