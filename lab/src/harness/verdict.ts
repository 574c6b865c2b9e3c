import { acknowledgementsOf, type Call } from './history.ts';
import { historyErrors, unrequestedOrders } from './history-errors.ts';
import {
  type Acknowledgement,
  acknowledgementErrors,
  type Databases,
  lostOrders,
  settledErrors,
  stockErrors,
  unsettledOrders,
} from './invariants.ts';

/** Violations found when all orders should be settled, a line each. */
export interface Verdict {
  /** Acknowledged orders that do not exist. */
  readonly lost: readonly string[];
  /** Violations of the stock invariants. */
  readonly oversold: readonly string[];
  readonly unsettled: readonly string[];
  /** All other violations. */
  readonly wrong: readonly string[];
}

/** Checks the databases against every invariant and against the acknowledged orders. */
export async function judgeDatabases(
  databases: Databases,
  acknowledged: readonly Acknowledgement[],
): Promise<Verdict> {
  return {
    lost: await lostOrders(databases, acknowledged),
    oversold: await stockErrors(databases),
    unsettled: await unsettledOrders(databases),
    wrong: [...(await settledErrors(databases)), ...(await acknowledgementErrors(databases, acknowledged))],
  };
}

/**
 * Checks the databases like `judgeDatabases`, the calls against each other, and the orders against the requests.
 *
 * @param shop Prefix of the ids of the customers that made these calls.
 */
export async function judgeHistory(
  databases: Databases,
  history: readonly Call[],
  shop: string,
): Promise<Verdict> {
  const verdict = await judgeDatabases(databases, acknowledgementsOf(history));
  const unasked = await unrequestedOrders(databases, history, shop);
  return { ...verdict, wrong: [...verdict.wrong, ...historyErrors(history), ...unasked] };
}
