import { ReadOnlyServerError } from '../errors/database-errors.ts';
import { parseUrl } from './connection-url.ts';

/** SQL expression that is true on a standby, and where an operator has made new transactions read-only. */
const isReadOnlySql = `pg_catalog.current_setting('transaction_read_only')::boolean`;

/** Column of a statement whose row `createReadWriteCheck` checks. */
export const readOnlyColumn = `${isReadOnlySql} AS is_read_only`;

/**
 * Returns a function that throws `ReadOnlyServerError` for a row with the `readOnlyColumn` of a server that accepts no writes.
 * A connection to one must be closed, so that the next one leads to the new primary. As in libpq, `target_session_attrs=any`
 * in the URL allows such servers, for reads of a standby. The default is `read-write`.
 */
export function createReadWriteCheck(url: string): (row: { is_read_only?: boolean } | undefined) => void {
  const isAnyAllowed = parseUrl(url).target_session_attrs === 'any';
  return (row) => {
    if (row?.is_read_only && !isAnyAllowed)
      throw new ReadOnlyServerError('the database server is read-only: it is a standby, or was demoted');
  };
}
