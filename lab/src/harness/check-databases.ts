import { setTimeout as sleep } from 'node:timers/promises';
import { openPool } from '@acme/postgres/pool';
import { type Databases, settledErrors, stockErrors, unsettledOrders } from './invariants.ts';

export interface DatabaseUrls {
  readonly ordersDatabaseUrl: string;
  readonly inventoryDatabaseUrl: string;
}

export interface OpenDatabases extends Databases, AsyncDisposable {}

/** Pause between the two reads: the databases are not read at the same instant, and orders go on in between. */
const rereadMs = 1000;
/** An order that is not settled within this time is late. */
const settleTimeoutMs = 30_000;

/** Opens one connection to each database. */
export function openDatabases({ ordersDatabaseUrl, inventoryDatabaseUrl }: DatabaseUrls): OpenDatabases {
  const opened = new AsyncDisposableStack();
  const open = (url: string) =>
    opened.adopt(openPool({ url, max: 1, applicationName: 'check', onError: () => {} }), (pool) =>
      pool.end(),
    );
  return {
    ordersDatabase: open(ordersDatabaseUrl),
    inventoryDatabase: open(inventoryDatabaseUrl),
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
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
