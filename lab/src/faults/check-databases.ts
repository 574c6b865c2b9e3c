import { setTimeout as sleep } from 'node:timers/promises';
import { openPool, type Pool } from '@acme/postgres/pool/pool';
import { type Books, settledErrors, stockErrors, unsettledOrders } from '../harness/invariants.ts';
import type { CheckConfig } from './check-config.ts';

/** Two looks so far apart: the two databases are not read at the same moment, and orders go on in between. */
const secondLookMs = 1000;
/** What is settled later than this is late. */
const settleTimeoutMs = 30_000;

/** The books of a system that runs, or has run, somewhere. */
export interface StandingBooks extends Books, AsyncDisposable {}

export function openStandingBooks({ ordersDatabaseUrl, inventoryDatabaseUrl }: CheckConfig): StandingBooks {
  const pools: Pool[] = [];
  const open = (url: string) => {
    const pool = openPool({ url, max: 1, applicationName: 'check of the books', onError: () => {} });
    pools.push(pool);
    return pool;
  };
  return {
    ordersDatabase: open(ordersDatabaseUrl),
    inventoryDatabase: open(inventoryDatabaseUrl),
    [Symbol.asyncDispose]: async () => {
      for (const pool of pools) await pool.end();
    },
  };
}

/**
 * What is wrong in the books of a system that may be running, a line each, with the order's id: what is wrong at two
 * looks, or has not been settled for half a minute.
 */
export async function standingErrors(books: Books): Promise<string[]> {
  const errors = await errorsIn(books);
  if (errors.length === 0) return [];
  await sleep(secondLookMs);
  const again = new Set(await errorsIn(books));
  return errors.filter((error) => again.has(error));
}

async function errorsIn(books: Books): Promise<string[]> {
  return [
    ...(await stockErrors(books)),
    ...(await unsettledOrders(books, { olderThanMs: settleTimeoutMs })),
    ...(await settledErrors(books)),
  ];
}
