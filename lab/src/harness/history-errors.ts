import { acknowledgedBy, type Call, type Purchase } from './history.ts';
import { type Databases, reachableStates } from './invariants.ts';

/**
 * Returns the contradictions between calls, a line each: all calls with one request id return one order, no call returns
 * a state that precedes the state returned before it began, and no call fails with an unexpected error.
 */
export function historyErrors(calls: readonly Call[]): string[] {
  return [...Map.groupBy(calls, ({ purchase }) => keyOf(purchase)).values()].flatMap((sameRequest) => [
    ...duplicateOrders(sameRequest),
    ...stateRegressions(sameRequest),
    ...unexpectedErrors(sameRequest),
  ]);
}

/**
 * Returns the orders that no call requested, or whose calls were all rejected without an order, a line each.
 *
 * @param shop Prefix of the ids of the customers that made these calls.
 */
export async function unrequestedOrders(
  { ordersDatabase }: Databases,
  calls: readonly Call[],
  shop: string,
): Promise<string[]> {
  const placing = calls.filter(({ method }) => method === 'place');
  const mayExist = new Set(
    placing
      .filter(({ outcome }) => outcome.kind === 'unknown' || acknowledgedBy(outcome))
      .map(({ purchase }) => keyOf(purchase)),
  );
  const { rows } = await ordersDatabase.query<{ id: string; customerId: string; requestId: string }>(
    'SELECT id, customer_id AS "customerId", request_id AS "requestId" FROM orders WHERE starts_with(customer_id, $1)',
    [`${shop} `],
  );
  return rows
    .filter((order) => !mayExist.has(keyOf(order)))
    .map(({ id }) => `order ${id} was not requested, or all its requests were rejected`);
}

function keyOf({ customerId, requestId }: Pick<Purchase, 'customerId' | 'requestId'>): string {
  return `${customerId} ${requestId}`;
}

function duplicateOrders(calls: readonly Call[]): string[] {
  const ids = new Set(calls.flatMap(({ outcome }) => acknowledgedBy(outcome)?.orderId ?? []));
  return ids.size > 1
    ? [`request ${calls[0]?.purchase.requestId} returned orders ${[...ids].join(' and ')}`]
    : [];
}

function stateRegressions(calls: readonly Call[]): string[] {
  const returned = calls.flatMap(({ startMs, endMs, outcome }) => {
    const order = acknowledgedBy(outcome);
    return order ? [{ startMs, endMs, ...order }] : [];
  });
  return returned.flatMap((later) =>
    returned
      .filter(({ endMs, state }) => endMs < later.startMs && !reachableStates[state].includes(later.state))
      .map(({ orderId, state }) => `order ${orderId} was answered ${state} and later ${later.state}`),
  );
}

/** Reasons with which PlaceOrder, CancelOrder and GetOrder may reject the harness's requests, by their contract. */
const expectedReasons = ['OUT_OF_STOCK', 'ORDER_REJECTED', 'REQUEST_ID_REUSED', 'INVALID_ARGUMENT'];

function unexpectedErrors(calls: readonly Call[]): string[] {
  return calls.flatMap(({ method, purchase, outcome }) => {
    if (outcome.kind === 'rejected' && !expectedReasons.includes(outcome.reason))
      return [`request ${purchase.requestId}: ${method} was rejected with ${outcome.code} ${outcome.reason}`];
    if (outcome.kind === 'unknown' && outcome.message === 'internal error')
      return [`request ${purchase.requestId}: ${method} returned INTERNAL`];
    return [];
  });
}
