import { answersOf, type Call } from './history.ts';
import { historyErrors, unaskedOrders } from './history-errors.ts';
import {
  type Answer,
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

/** Holds the books to every invariant, and to what customers were answered. */
export async function judgeBooks(books: Books, answers: readonly Answer[]): Promise<Verdict> {
  return {
    lost: await lostOrders(books, answers),
    oversold: await stockErrors(books),
    unsettled: await unsettledOrders(books),
    wrong: [...(await settledErrors(books)), ...(await brokenPromises(books, answers))],
  };
}

/**
 * Holds the calls to each other, too, and the orders to what was asked for.
 *
 * @param shop What the names of the customers begin with whose calls these are.
 */
export async function judge(books: Books, history: readonly Call[], shop: string): Promise<Verdict> {
  const verdict = await judgeBooks(books, answersOf(history));
  const unasked = await unaskedOrders(books, history, shop);
  return { ...verdict, wrong: [...verdict.wrong, ...historyErrors(history), ...unasked] };
}
