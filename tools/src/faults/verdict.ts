import { answersOf, type Call } from './history.ts';
import { historyErrors, unaskedOrders } from './history-errors.ts';
import {
  type Books,
  brokenPromises,
  lostOrders,
  settledErrors,
  stockErrors,
  unsettledOrders,
} from './invariants.ts';

/** What is wrong when all should be settled, a line each. */
export interface Verdict {
  /** Orders that were acknowledged and do not exist. */
  readonly lost: readonly string[];
  /** Stock that does not add up. */
  readonly oversold: readonly string[];
  readonly unsettled: readonly string[];
  /** Whatever else does not hold. */
  readonly wrong: readonly string[];
}

/**
 * Holds the books to every invariant, and to what the calls were answered.
 *
 * @param shop What the names of the customers begin with whose calls these are.
 */
export async function judge(books: Books, history: readonly Call[], shop: string): Promise<Verdict> {
  const answers = answersOf(history);
  return {
    lost: await lostOrders(books, answers),
    oversold: await stockErrors(books),
    unsettled: await unsettledOrders(books),
    wrong: [
      ...(await settledErrors(books)),
      ...(await brokenPromises(books, answers)),
      ...historyErrors(history),
      ...(await unaskedOrders(books, history, shop)),
    ],
  };
}
