import { OrderService } from '@acme/gen/orders/v1/order_service_pb';
import { computed, effect, signal, untracked } from '@preact/signals';
import { batched } from './frame.ts';
import { createKnownOrders } from './known-orders.ts';
import { listKnown } from './list-known.ts';
import { clientOf, session } from './session.ts';
import { whileVisible } from './visibility.ts';
import { keepWatching, type WatchState } from './watch.ts';

/** Number of orders that the page keeps: those of the last minute, at 80 per second. */
const maxOrders = 5000;
const flushMs = 100;

/** Changes whenever orders have changed, at most ten times a second. */
export const ordersVersion = signal(0);

/** The orders of the watched customers. */
export const orders = createKnownOrders(
  maxOrders,
  batched(() => ordersVersion.value++, flushMs),
);

const states = [
  signal<WatchState>('connecting'),
  signal<WatchState>('connecting'),
  signal<WatchState>('connecting'),
];
export const ordersState = computed<WatchState>(() => {
  const watched = states.slice(0, session.value?.customers.length ?? 1).map(({ value }) => value);
  return watched.find((state) => state !== 'live') ?? 'live';
});

const customers = computed(() => session.value?.customers.slice(0, states.length).join('\n') ?? '');

whileVisible((hidden) => {
  let leaving = new AbortController();
  const stop = effect(() => {
    leaving.abort();
    leaving = new AbortController();
    const signal = AbortSignal.any([leaving.signal, hidden]);
    if (customers.value === '') return;
    const customerIds = customers.value.split('\n');
    // What a watch reads must not restart it: a restarted one has no token, and misses what happened in between.
    untracked(() => {
      for (const [index, customerId] of customerIds.entries()) watchCustomer(customerId, index, signal);
    });
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
      list: (signal) =>
        listKnown(orders, customerId, maxOrders, (page) =>
          clientOf('orders', OrderService).listOrders({ ...page, customerId }, { signal }),
        ),
      take: ({ order }) => {
        if (order) orders.take(order);
      },
    },
    leaving,
  );
}
