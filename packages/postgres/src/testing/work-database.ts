import type { WorkTable } from '../leased-work/leases.ts';
import type { Pool } from '../pool/pool.ts';
import { openTestPool } from './open-test-pool.ts';
import { createTestDatabase } from './test-database.ts';

export interface Job {
  readonly id: string;
  readonly title: string;
}

export const jobTable: WorkTable<Job & Record<string, unknown>, Job> = {
  table: 'jobs',
  dueColumn: 'due_time',
  attemptsColumn: 'attempts',
  columns: 'jobs.id, jobs.title',
  fromRow: ({ id, title }) => ({ id, title }),
};

/** A database with a table of jobs. */
export interface WorkDatabase extends AsyncDisposable {
  readonly pool: Pool;
  /** Inserts due jobs and returns their ids. */
  addJobs(count: number): Promise<string[]>;
  /** Records that a job is done. */
  finish(id: string): Promise<void>;
  /** Makes every unfinished job due. */
  expediteAll(): Promise<void>;
  /** Returns the ids of the unfinished jobs. */
  unfinished(): Promise<string[]>;
}

export async function openWorkDatabase(): Promise<WorkDatabase> {
  await using opened = new AsyncDisposableStack();
  const { url } = opened.use(await createTestDatabase());
  const pool = opened.use(openTestPool({ url, max: 10 }));
  await pool.query(`
    CREATE TABLE jobs (id uuid PRIMARY KEY, title text NOT NULL,
                       due_time timestamptz, attempts int NOT NULL DEFAULT 0);
    CREATE INDEX jobs_due ON jobs (due_time) WHERE due_time IS NOT NULL;
    CREATE INDEX jobs_due_again ON jobs (due_time) WHERE due_time IS NOT NULL AND attempts >= 8`);
  const kept = opened.move();
  const ids = async (text: string, values: unknown[] = []) =>
    (await pool.query<{ id: string }>(text, values)).rows.map(({ id }) => id);
  return {
    pool,
    addJobs: (count) =>
      ids(
        `INSERT INTO jobs (id, title, due_time)
         SELECT gen_random_uuid(), 'job ' || number, now() FROM generate_series(1, $1) AS number RETURNING id`,
        [count],
      ),
    finish: async (id) => void (await pool.query('UPDATE jobs SET due_time = NULL WHERE id = $1', [id])),
    expediteAll: async () => {
      await pool.query('UPDATE jobs SET due_time = now() WHERE due_time IS NOT NULL');
    },
    unfinished: () => ids('SELECT id FROM jobs WHERE due_time IS NOT NULL'),
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}
