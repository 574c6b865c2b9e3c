import { type Order, Order_State } from '@acme/gen/orders/v1/order_pb';
import { timestampMs } from '@bufbuild/protobuf/wkt';

export type OrderState = 'pending' | 'confirmed' | 'rejected' | 'cancelled';

/** An order as the page keeps it. */
export interface KnownOrder {
  readonly id: string;
  readonly customerId: string;
  readonly lines: readonly { readonly sku: string; readonly quantity: number }[];
  readonly createdAtMs: number;
  /** Position among all orders that the page has seen, from 0. */
  readonly sequence: number;
  state: OrderState;
  /** States that the page has seen the order enter, the oldest first: at most three. */
  readonly changes: { readonly state: OrderState; readonly atMs: number }[];
}

/** The newest orders, and their present states. */
export interface KnownOrders {
  /** Number of orders that the page has seen. */
  readonly seen: number;
  get(id: string): KnownOrder | undefined;
  /** Returns the orders that the page has seen last, the oldest of them first. */
  newest(count: number): readonly KnownOrder[];
  /** Returns the ids of the orders that were placed last, the last one first. */
  lastPlaced(count: number): readonly string[];
  /** Takes an order that a service has returned. One that is older than the known one changes nothing. */
  take(order: Order): void;
  /** Returns the ids of a customer's orders that are pending as far as the page knows. */
  pendingOf(customerId: string): readonly string[];
  /** Forgets an order whose state is no longer known. */
  forget(id: string): void;
}

/**
 * @param maxOrders Number of orders that are kept.
 * @param onChange Called when an order is new, or has changed its state.
 */
export function createKnownOrders(maxOrders: number, onChange: () => void): KnownOrders {
  const orders = new Map<string, KnownOrder>();
  let seen = 0;
  const add = (order: Order) => {
    const [oldest] = orders.keys();
    const isFull = orders.size >= maxOrders && oldest !== undefined;
    // Ids sort by the time of placing: an order that is no longer kept has changed.
    if (isFull && order.id < oldest) return;
    orders.set(order.id, knownOrder(order, seen++));
    if (isFull) orders.delete(oldest);
    onChange();
  };
  return {
    get seen() {
      return seen;
    },
    get: (id) => orders.get(id),
    newest: (count) => (count > 0 ? [...orders.values()].slice(-count) : []),
    // Ids sort by the time of placing.
    lastPlaced: (count) => [...orders.keys()].sort().slice(-count).toReversed(),
    take: (order) => {
      const known = orders.get(order.id);
      if (!known) return add(order);
      const state = stateOf(order.state);
      if (progress[state] <= progress[known.state]) return;
      known.state = state;
      known.changes.push({ state, atMs: changedAtMs(order) });
      onChange();
    },
    pendingOf: (customerId) =>
      [...orders.values()]
        .filter((order) => order.customerId === customerId && order.state === 'pending')
        .map(({ id }) => id),
    forget: (id) => {
      if (orders.delete(id)) onChange();
    },
  };
}

/** An order only moves forward: a state of a lower number is an older version. */
const progress: Readonly<Record<OrderState, number>> = {
  pending: 0,
  confirmed: 1,
  rejected: 1,
  cancelled: 2,
};

function knownOrder(order: Order, sequence: number): KnownOrder {
  const state = stateOf(order.state);
  return {
    id: order.id,
    customerId: order.customerId,
    lines: order.lines.map(({ sku, quantity }) => ({ sku, quantity })),
    createdAtMs: order.createTime ? timestampMs(order.createTime) : changedAtMs(order),
    sequence,
    state,
    changes: [{ state, atMs: changedAtMs(order) }],
  };
}

function changedAtMs({ updateTime }: Order): number {
  return updateTime ? timestampMs(updateTime) : 0;
}

const stateNames = new Map<Order_State, OrderState>([
  [Order_State.CONFIRMED, 'confirmed'],
  [Order_State.REJECTED, 'rejected'],
  [Order_State.CANCELLED, 'cancelled'],
]);

export function stateOf(state: Order_State): OrderState {
  return stateNames.get(state) ?? 'pending';
}
