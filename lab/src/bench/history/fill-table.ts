import pg from 'pg';

/** A table that a benchmark fills with rows, which were written ten a second until `ageDays` ago. */
export interface TableFilling {
  readonly table: string;
  readonly rows: number;
  readonly ageDays: number;
  /** Constraints and indexes besides the primary key. Sorting an index once is faster than inserting each row into it. */
  readonly indexes: Readonly<Record<'drop' | 'create', readonly string[]>>;
  /**
   * SELECT list of the rows, and the columns that it fills: `n` is the number of the row from 1, `age` its age as a negative
   * interval.
   */
  readonly columns: string;
  readonly select: string;
}

/** Number of rows that one statement inserts. */
const chunkRows = 500_000;

/** Inserts the rows, builds the indexes, and leaves the table as autovacuum would. */
export async function fillTable(databaseUrl: string, filling: TableFilling): Promise<void> {
  const { table, rows, ageDays, indexes, columns, select } = filling;
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    await client.query(`SET synchronous_commit = off; SET maintenance_work_mem = '512MB'`);
    for (const statement of indexes.drop) await client.query(statement);
    for (let first = 1; first <= rows; first += chunkRows)
      await client.query(
        `INSERT INTO ${table} (${columns})
         SELECT ${select}
         FROM generate_series($1::int, $2::int) AS n,
              LATERAL (SELECT make_interval(days => -$4::int, secs => (n - $3::int) / 10.0) AS age) AS aged`,
        [first, Math.min(rows, first + chunkRows - 1), rows, ageDays],
      );
    for (const statement of indexes.create) await client.query(statement);
    await client.query(`VACUUM ANALYZE ${table}`);
  } finally {
    await client.end();
  }
}
