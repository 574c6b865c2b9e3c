import { type Order, Order_State } from '@acme/gen/orders/v1/order_pb';
import { OrderService } from '@acme/gen/orders/v1/order_service_pb';
import { timestampMs } from '@bufbuild/protobuf/wkt';
import { computed, effect, signal } from '@preact/signals';
import { batched } from './frame.ts';
import { clientOf, session } from './session.ts';
import { whileVisible } from './visibility.ts';
import { keepWatching, type WatchState } from './watch.ts';

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
  updatedAtMs: number;
  rejectReason: string;
  /** Changes that this page has watched, the oldest first: at most three. */
  readonly changes: { readonly state: OrderState; readonly atMs: number }[];
}

/** Number of orders that the page keeps: those of the last minute, at 80 per second. */
const maxOrders = 5000;
const listed = 200;
const flushMs = 100;

const orders = new Map<string, KnownOrder>();
let seen = 0;

/** Changes whenever orders have changed, at most ten times a second. */
export const ordersVersion = signal(0);
const flush = batched(() => ordersVersion.value++, flushMs);

const states = [
  signal<WatchState>('connecting'),
  signal<WatchState>('connecting'),
  signal<WatchState>('connecting'),
];
export const ordersState = computed<WatchState>(() => {
  const watched = states.slice(0, session.value?.customers.length ?? 1).map(({ value }) => value);
  return watched.find((state) => state !== 'live') ?? 'live';
});

/** Returns the kept orders, the oldest first. */
export function knownOrders(): IterableIterator<KnownOrder> {
  return orders.values();
}

export function knownOrder(id: string): KnownOrder | undefined {
  return orders.get(id);
}

/** Number of orders that the page has seen since it was loaded. */
export function ordersSeen(): number {
  return seen;
}

/** Takes an order that a service has returned. An older version than the known one is ignored. */
export function takeOrder(order: Order): void {
  const state = stateOf(order.state);
  const updatedAtMs = order.updateTime ? timestampMs(order.updateTime) : 0;
  const known = orders.get(order.id);
  if (!known) add(order, state, updatedAtMs);
  else if (updatedAtMs > known.updatedAtMs || (known.state === 'pending' && state !== 'pending')) {
    if (known.state !== state) known.changes.push({ state, atMs: updatedAtMs });
    known.state = state;
    known.updatedAtMs = updatedAtMs;
    known.rejectReason = order.rejectReason;
  } else return;
  flush();
}

function add(order: Order, state: OrderState, updatedAtMs: number): void {
  const [oldest] = orders.keys();
  const isFull = orders.size >= maxOrders && oldest !== undefined;
  // Ids sort by the time of placing: an order that is no longer kept has changed.
  if (isFull && order.id < oldest) return;
  orders.set(order.id, {
    id: order.id,
    customerId: order.customerId,
    lines: order.lines.map(({ sku, quantity }) => ({ sku, quantity })),
    createdAtMs: order.createTime ? timestampMs(order.createTime) : updatedAtMs,
    sequence: seen++,
    state,
    updatedAtMs,
    rejectReason: order.rejectReason,
    changes: [{ state, atMs: updatedAtMs }],
  });
  if (isFull) orders.delete(oldest);
}

const stateNames = new Map<Order_State, OrderState>([
  [Order_State.CONFIRMED, 'confirmed'],
  [Order_State.REJECTED, 'rejected'],
  [Order_State.CANCELLED, 'cancelled'],
]);

export function stateOf(state: Order_State): OrderState {
  return stateNames.get(state) ?? 'pending';
}

const customers = computed(() => session.value?.customers.slice(0, states.length).join('\n') ?? '');

whileVisible((hidden) => {
  let leaving = new AbortController();
  const stop = effect(() => {
    leaving.abort();
    leaving = new AbortController();
    const signal = AbortSignal.any([leaving.signal, hidden]);
    if (customers.value === '') return;
    for (const [index, customerId] of customers.value.split('\n').entries())
      watchCustomer(customerId, index, signal);
  });
  hidden.addEventListener('abort', stop);
});

function watchCustomer(customerId: string, index: number, leaving: AbortSignal): void {
  const state = states[index];
  if (!state) return;
  keepWatching(
    {
      service: 'orders',
      state,
      open: (resumeToken, signal) =>
        clientOf('orders', OrderService).watchOrders({ resumeToken, customerId }, { signal }),
      list: async (signal) => {
        const page = await clientOf('orders', OrderService).listOrders(
          { customerId, pageSize: listed },
          { signal },
        );
        for (const order of page.orders.toReversed()) takeOrder(order);
      },
      take: ({ order }) => {
        if (order) takeOrder(order);
      },
    },
    leaving,
  );
}
