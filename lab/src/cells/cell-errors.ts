import { sameLines, sortedLines } from '@acme/inventory/stock/stock';
import type { Order } from '@acme/orders/order/order';
import { reachableStates } from '../harness/invariants.ts';
import type { OrdersData, StoredOrder } from './orders-data.ts';
import type { StockData } from './stock-data.ts';

/** Returns violations of the invariants that hold at every moment: nothing is oversold, a line each. */
export function stockErrors(cells: readonly StockData[]): string[] {
  return cells.flatMap(({ stock, reservations }, cell) => {
    const held = new Map<string, number>();
    for (const { state, lines } of reservations.values())
      if (state === 'RESERVED')
        for (const { sku, quantity } of lines) held.set(sku, (held.get(sku) ?? 0) + quantity);
    return [...stock].flatMap(([sku, { onHand, reserved }]) => {
      const units = held.get(sku) ?? 0;
      return units === reserved && reserved >= 0 && reserved <= onHand
        ? []
        : [`${sku} in cell ${cell}: ${onHand} on hand, ${reserved} reserved, ${units} in live reservations`];
    });
  });
}

/** Returns violations of the invariants that hold when all orders are settled, a line each. */
export function settledErrors(
  ordersCells: readonly OrdersData[],
  stockCells: readonly StockData[],
  acknowledged: readonly Order[],
): string[] {
  const orders = ordersCells.flatMap(({ orders }) => [...orders.values()]);
  const byId = new Map(orders.map((stored) => [stored.order.id, stored]));
  return [
    ...orders.flatMap(unsettledErrors),
    ...orders.flatMap(({ order }) => stockCells.flatMap((cell, index) => heldErrors(order, cell, index))),
    ...stockCells.flatMap((cell, index) => orphanErrors(cell, index, byId)),
    ...repeatedRequests(orders),
    ...acknowledged.flatMap((order) => acknowledgementErrors(order, byId.get(order.id)?.order)),
  ];
}

function unsettledErrors({ order: { id, state }, dueMs }: StoredOrder): string[] {
  return state === 'PENDING' || dueMs !== undefined ? [`order ${id} is ${state} and not settled`] : [];
}

/** A CONFIRMED order has a live reservation of its lines in every cell of its lines, and no other order has any. */
function heldErrors({ id, state, lines }: Order, { stock, reservations }: StockData, cell: number): string[] {
  const reservation = reservations.get(id);
  const held = reservation?.state === 'RESERVED' ? reservation.lines : [];
  const expected = state === 'CONFIRMED' ? sortedLines(lines.filter(({ sku }) => stock.has(sku))) : [];
  const text = (of: Order['lines']) =>
    of.map(({ sku, quantity }) => `${quantity} ${sku}`).join() || 'nothing';
  return sameLines(held, expected)
    ? []
    : [`order ${id} is ${state} and holds ${text(held)} in cell ${cell}, not ${text(expected)}`];
}

function orphanErrors(
  { reservations }: StockData,
  cell: number,
  orders: ReadonlyMap<string, StoredOrder>,
): string[] {
  return [...reservations.values()]
    .filter(({ id, state }) => state === 'RESERVED' && !orders.has(id))
    .map(({ id }) => `reservation ${id} in cell ${cell} is live and has no order`);
}

function repeatedRequests(orders: readonly StoredOrder[]): string[] {
  const requests = orders.map(({ order, requestId }) => `request ${requestId} of ${order.customerId}`);
  return [...new Set(requests.filter((request, index) => requests.indexOf(request) < index))].map(
    (request) => `${request} has several orders`,
  );
}

function acknowledgementErrors(answered: Order, order: Order | undefined): string[] {
  const { id, state } = answered;
  if (!order) return [`order ${id} was acknowledged and does not exist`];
  if (reachableStates[state].includes(order.state)) return [];
  return [`order ${id} was answered ${state} and is ${order.state}`];
}
