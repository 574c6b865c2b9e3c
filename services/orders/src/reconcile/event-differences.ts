import type { Pool } from '@acme/postgres/pool';

const pageSize = 1000;

/** Yields a line for each event whose order is missing, is at an older version, or has another state at its version. */
export async function* eventDifferences(pool: Pool): AsyncGenerator<string> {
  for (let after = 0n; ; ) {
    const { rows } = await pool.query<{ last: bigint | null; differences: string[] }>({
      name: 'event-differences',
      text: `WITH page AS MATERIALIZED (
               SELECT seq, order_id, version, state FROM order_events WHERE seq > $1 ORDER BY seq LIMIT $2
             )
             SELECT (SELECT max(seq) FROM page) AS last,
                    ARRAY(SELECT format('order %s has an event of version %s (%s) and is %s', order_id, page.version, page.state,
                                        CASE WHEN orders.id IS NULL THEN 'missing' ELSE format('at version %s (%s)', orders.version, orders.state) END)
                          FROM page LEFT JOIN orders ON orders.id = order_id
                          WHERE orders.id IS NULL OR page.version > orders.version
                             OR (page.version = orders.version AND page.state <> orders.state)
                          ORDER BY seq) AS differences`,
      values: [after, pageSize],
    });
    const { last = null, differences = [] } = rows[0] ?? {};
    yield* differences;
    if (last === null) return;
    after = last;
  }
}
