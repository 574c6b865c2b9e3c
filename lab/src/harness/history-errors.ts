import { type Call, toldBy, type Wish } from './history.ts';
import { type Books, mayBecome } from './invariants.ts';

/**
 * What the calls say against each other, a line each: the answers to one request tell of one order, what was answered
 * before a call began is not taken back by it, and no call is answered with an error that nobody foresaw.
 */
export function historyErrors(calls: readonly Call[]): string[] {
  return [...Map.groupBy(calls, ({ wish }) => keyOf(wish)).values()].flatMap((ofOne) => [
    ...severalOrders(ofOne),
    ...takenBack(ofOne),
    ...unforeseen(ofOne),
  ]);
}

/**
 * Orders that nobody asked for, or that stand though every call for them was refused without one: a line each.
 *
 * @param shop What the names of the customers begin with whose calls these are.
 */
export async function unaskedOrders(
  { ordersDatabase }: Books,
  calls: readonly Call[],
  shop: string,
): Promise<string[]> {
  const placing = calls.filter(({ method }) => method === 'place');
  const mayExist = new Set(
    placing
      .filter(({ outcome }) => outcome.kind === 'unknown' || toldBy(outcome))
      .map(({ wish }) => keyOf(wish)),
  );
  const { rows } = await ordersDatabase.query<{ id: string; customerId: string; requestId: string }>(
    'SELECT id, customer_id AS "customerId", request_id AS "requestId" FROM orders WHERE starts_with(customer_id, $1)',
    [`${shop} `],
  );
  return rows
    .filter((order) => !mayExist.has(keyOf(order)))
    .map(({ id }) => `order ${id} was not asked for, or all who asked were refused`);
}

function keyOf({ customerId, requestId }: Pick<Wish, 'customerId' | 'requestId'>): string {
  return `${customerId} ${requestId}`;
}

function severalOrders(calls: readonly Call[]): string[] {
  const ids = new Set(calls.flatMap(({ outcome }) => toldBy(outcome)?.orderId ?? []));
  return ids.size > 1
    ? [`request ${calls[0]?.wish.requestId} was answered with ${[...ids].join(' and with ')}`]
    : [];
}

function takenBack(calls: readonly Call[]): string[] {
  const told = calls.flatMap(({ startMs, endMs, outcome }) => {
    const order = toldBy(outcome);
    return order ? [{ startMs, endMs, ...order }] : [];
  });
  return told.flatMap((later) =>
    told
      .filter(({ endMs, state }) => endMs < later.startMs && !mayBecome[state].includes(later.state))
      .map(({ orderId, state }) => `order ${orderId} was answered ${state}, and ${later.state} afterwards`),
  );
}

/** What the contract of PlaceOrder, CancelOrder and GetOrder says to what the harness asks. */
const foreseenReasons = ['OUT_OF_STOCK', 'ORDER_REJECTED', 'REQUEST_ID_REUSED', 'INVALID_ARGUMENT'];

function unforeseen(calls: readonly Call[]): string[] {
  return calls.flatMap(({ method, wish, outcome }) => {
    if (outcome.kind === 'refused' && !foreseenReasons.includes(outcome.reason))
      return [`request ${wish.requestId}: ${method} was refused with ${outcome.code} ${outcome.reason}`];
    if (outcome.kind === 'unknown' && outcome.message === 'internal error')
      return [`request ${wish.requestId}: ${method} was answered INTERNAL`];
    return [];
  });
}
