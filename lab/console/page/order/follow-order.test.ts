import { type Order, Order_State, OrderSchema } from '@acme/gen/orders/v1/order_pb';
import { create } from '@bufbuild/protobuf';
import { Code, ConnectError } from '@connectrpc/connect';
import { signal } from '@preact/signals';
import { afterAll, beforeEach, expect, test, vi } from 'vitest';
import type { Live } from '../../api.ts';
import { createKnownOrders, stateOf } from '../data/known-orders.ts';

const getOrder = vi.hoisted(() => vi.fn<() => Promise<{ readonly order: Order }>>());

vi.mock('../data/session.ts', () => ({
  session: signal({ services: [], customers: [], expiresAtMs: 0 }),
  clientOf: () => ({ getOrder }),
}));
vi.mock('../data/orders.ts', () => {
  const ordersVersion = signal(0);
  return { ordersVersion, orders: createKnownOrders(10, () => ordersVersion.value++) };
});

vi.mock('../data/console-api.ts', () => ({ readEvents: () => new Promise(() => {}) }));

vi.useFakeTimers();
vi.stubGlobal('document', { visibilityState: 'visible', addEventListener: () => {} });
const { live } = await import('../data/live.ts');
const { orders } = await import('../data/orders.ts');
const { followOrder } = await import('./follow-order.ts');
live.value = { phase: 'running', parts: [{ id: 'service:orders', state: 'up' }] } as unknown as Live;

beforeEach(() => getOrder.mockReset());
afterAll(() => {
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

function order(state: Order_State): Order {
  return create(OrderSchema, { id: '1', state });
}

/** Follows the order, and returns what is shown of it. */
function follow() {
  const shown: string[] = [];
  const leaving = new AbortController();
  const following = followOrder(
    '1',
    {
      take: ({ state }) => shown.push(stateOf(state)),
      fail: ({ code }) => shown.push(Code[code]),
    },
    leaving.signal,
  );
  return { shown, following, leave: () => leaving.abort() };
}

test('an order that is not watched is read every two seconds until it is final, and not any more', async () => {
  getOrder.mockResolvedValueOnce({ order: order(Order_State.PENDING) });
  getOrder.mockResolvedValueOnce({ order: order(Order_State.CONFIRMED) });
  getOrder.mockResolvedValueOnce({ order: order(Order_State.CANCELLED) });
  const { shown, following } = follow();
  await vi.advanceTimersByTimeAsync(1000);
  expect(shown).toEqual(['pending']);
  await vi.advanceTimersByTimeAsync(3000);
  await following;
  expect(shown).toEqual(['pending', 'confirmed', 'cancelled']);
});

test('one read runs at a time, and a failed one is repeated', async () => {
  const { promise, reject } = Promise.withResolvers<never>();
  getOrder.mockReturnValueOnce(promise);
  const { shown, leave, following } = follow();
  await vi.advanceTimersByTimeAsync(10_000);
  expect(getOrder).toHaveBeenCalledTimes(1);
  reject(new ConnectError('lost', Code.Unavailable));
  getOrder.mockResolvedValueOnce({ order: order(Order_State.CONFIRMED) });
  await vi.advanceTimersByTimeAsync(2000);
  expect(shown).toEqual(['Unavailable', 'confirmed']);
  leave();
  await following;
});

test('an order that does not exist is read once', async () => {
  getOrder.mockRejectedValueOnce(new ConnectError('no', Code.NotFound));
  const { shown, following } = follow();
  await following;
  expect(shown).toEqual(['NotFound']);
});

test('a change that the page has seen is read at once, and changes of other orders read nothing', async () => {
  getOrder.mockResolvedValueOnce({ order: order(Order_State.CONFIRMED) });
  getOrder.mockResolvedValueOnce({ order: order(Order_State.CANCELLED) });
  const { shown, following } = follow();
  await vi.advanceTimersByTimeAsync(0);
  orders.take(create(OrderSchema, { id: '2' }));
  await vi.advanceTimersByTimeAsync(0);
  expect(shown).toEqual(['confirmed']);
  orders.take(order(Order_State.CANCELLED));
  await following;
  expect(shown).toEqual(['confirmed', 'cancelled']);
});
