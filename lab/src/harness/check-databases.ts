import { setTimeout as sleep } from 'node:timers/promises';
import { openPool } from '@acme/postgres/pool';
import type { Tx } from '@acme/postgres/transaction';
import { type Databases, settledErrors, stockErrors, unsettledOrders } from './invariants.ts';

export interface DatabaseUrls {
  readonly ordersDatabaseUrl: string;
  readonly inventoryDatabaseUrl: string;
}

export interface OpenDatabases extends Databases, AsyncDisposable {}

/** Time until the server's own timeout is answered. */
const answerMs = 2000;
/** Pause between the two reads: the databases are not read at the same instant, and orders go on in between. */
const rereadMs = 1000;
/** An order that is not settled within this time is late. */
const settleTimeoutMs = 30_000;

/**
 * Opens one connection to each database.
 *
 * @param statementTimeoutMs Maximum duration of a statement. Default: that of the pool, 10 s.
 */
export function openDatabases(
  { ordersDatabaseUrl, inventoryDatabaseUrl }: DatabaseUrls,
  statementTimeoutMs?: number,
): OpenDatabases {
  const opened = new AsyncDisposableStack();
  const settings = statementTimeoutMs === undefined ? {} : { statement_timeout: statementTimeoutMs };
  const open = (url: string) => {
    const pool = opened.adopt(
      openPool({ url, max: 1, applicationName: 'check', settings, onError: () => {} }),
      (each) => each.end(),
    );
    return statementTimeoutMs === undefined ? pool : withClientTimeout(pool, statementTimeoutMs + answerMs);
  };
  return {
    ordersDatabase: open(ordersDatabaseUrl),
    inventoryDatabase: open(inventoryDatabaseUrl),
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}

/** Replaces pg's own timeout, which applies when the server does not answer. */
function withClientTimeout(tx: Tx, timeoutMs: number): Tx {
  return {
    query: (query, values = []) => {
      const statement = typeof query === 'string' ? { text: query, values } : query;
      return tx.query({ ...statement, query_timeout: timeoutMs });
    },
  };
}

/**
 * Checks databases whose services may be running. Returns the violations that are present in two reads, and the orders
 * that have not been settled for 30 s, a line each with the order's id.
 */
export async function checkDatabases(databases: Databases): Promise<string[]> {
  const errors = await errorsIn(databases);
  if (errors.length === 0) return [];
  await sleep(rereadMs);
  const again = new Set(await errorsIn(databases));
  return errors.filter((error) => again.has(error));
}

async function errorsIn(databases: Databases): Promise<string[]> {
  return [
    ...(await stockErrors(databases)),
    ...(await unsettledOrders(databases, { olderThanMs: settleTimeoutMs })),
    ...(await settledErrors(databases)),
  ];
}
