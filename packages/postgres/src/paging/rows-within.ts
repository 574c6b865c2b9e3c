/**
 * Returns a subquery for a FROM: the first of `rows` that take at most `maxBytes` together, and at least one. Rows are
 * measured in the database, so that a page of large rows is never read into this process.
 *
 * `found`, a column of each, is the number of rows that `rows` has. If it is higher than the number returned, the page
 * ended because it was full.
 *
 * @param rows A SELECT with an ORDER BY, a LIMIT and a column `size_bytes`, an int above 0.
 * @param order What `rows` is ordered by. No two rows are equal in it.
 */
export function rowsWithin(maxBytes: number, rows: string, order: string): string {
  return `(SELECT * FROM (
             SELECT *, sum(size_bytes) OVER (ORDER BY ${order}) AS end_bytes, (count(*) OVER ())::int AS found
             FROM (${rows}) AS candidate
           ) AS measured
           WHERE end_bytes <= ${maxBytes} OR end_bytes = size_bytes)`;
}
