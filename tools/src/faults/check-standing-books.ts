import { setTimeout as sleep } from 'node:timers/promises';
import { openPool, type Pool } from '@acme/postgres/pool';
import { readCheckConfig } from './check-config.ts';
import { type Books, settledErrors, stockErrors, unsettledOrders } from './invariants.ts';

/** Two looks so far apart: the two databases are not read at the same moment, and orders go on in between. */
const secondLookMs = 1000;
/** What is settled later than this is late. */
const settleTimeoutMs = 30_000;

/**
 * Checks the books of a system that may be running: only what is wrong at two looks is wrong. Says each error, with
 * the order's id, and sets the exit code to 1 when there is one.
 */
export async function checkStandingBooks(
  variables: NodeJS.ProcessEnv,
  say: (line: string) => void,
): Promise<void> {
  const { ordersDatabaseUrl, inventoryDatabaseUrl } = readCheckConfig(variables);
  await using opened = new AsyncDisposableStack();
  const open = (url: string) =>
    opened.adopt(
      openPool({ url, max: 1, applicationName: 'check of the books', onError: () => {} }),
      (pool: Pool) => pool.end(),
    );
  const books = { ordersDatabase: open(ordersDatabaseUrl), inventoryDatabase: open(inventoryDatabaseUrl) };
  let errors = await errorsIn(books);
  if (errors.length > 0) {
    await sleep(secondLookMs);
    const again = new Set(await errorsIn(books));
    errors = errors.filter((error) => again.has(error));
  }
  for (const error of errors) say(error);
  const { rows } = await books.ordersDatabase.query<{ count: bigint }>('SELECT count(*) FROM orders');
  say(errors.length === 0 ? `the books of ${rows[0]?.count} orders are right` : `${errors.length} errors`);
  if (errors.length > 0) process.exitCode = 1;
}

async function errorsIn(books: Books): Promise<string[]> {
  return [
    ...(await stockErrors(books)),
    ...(await unsettledOrders(books, { olderThanMs: settleTimeoutMs })),
    ...(await settledErrors(books)),
  ];
}
