import { expect, test } from 'vitest';
import { fingerprintOf, type Order, OrderError } from './order/order.ts';
import type { NewOrder } from './order/placement-store.ts';
import { createPlaceOrder } from './place-order.ts';

const lines = [{ sku: 'A', quantity: 1 }];

interface Environment {
  readonly settle?: (order: Order) => Promise<Order>;
  readonly isUnavailable?: boolean;
}

const confirmed = async (order: Order): Promise<Order> => ({ ...order, state: 'CONFIRMED' });

/** Creates the use case with a store that returns this order, and records its calls. */
function startPlacing(
  stored: Partial<Order> = {},
  { settle = confirmed, isUnavailable = false }: Environment = {},
) {
  const placed: NewOrder[] = [];
  const settled: number[] = [];
  const order: Order = {
    id: 'made',
    customerId: 'alice',
    lines,
    state: 'PENDING',
    rejection: undefined,
    version: 1n,
    createTime: new Date(0),
    updateTime: new Date(0),
    ...stored,
  };
  const detached: Promise<unknown>[] = [];
  const placeOrder = createPlaceOrder({
    store: {
      place: async (newOrder) => {
        placed.push(newOrder);
        return order;
      },
    },
    settle: async (pending, { deadlineMs }) => {
      settled.push(deadlineMs);
      return await settle(pending);
    },
    isUnavailable: () => isUnavailable,
    detach: (work) => detached.push(work()),
    newId: () => 'new',
    nowMs: () => 1_000_000,
  });
  const place = (leftMs: number, requested = lines) =>
    placeOrder({
      customerId: 'alice',
      requestId: 'request',
      lines: requested,
      deadlineAtMs: 1_000_000 + leftMs,
    });
  return { place, placed, settled, detached };
}

test('a new order is stored and then settled, with a deadline that leaves time for the response', async () => {
  const { place, placed, settled } = startPlacing();
  expect(await place(1000)).toMatchObject({ id: 'made', state: 'CONFIRMED' });
  expect(placed).toEqual([
    { id: 'new', customerId: 'alice', requestId: 'request', lines, fingerprint: fingerprintOf(lines) },
  ]);
  expect(settled).toEqual([800]);
});

test('the deadline of the steps is at most one second', async () => {
  const { place, settled } = startPlacing();
  await place(10_000);
  expect(settled).toEqual([1000]);
});

test('an unavailable step is asked in the background, and the order is returned PENDING', async () => {
  const { place, settled, detached } = startPlacing({}, { isUnavailable: true });
  expect(await place(2000)).toMatchObject({ state: 'PENDING' });
  expect(await Promise.all(detached)).toMatchObject([{ state: 'CONFIRMED' }]);
  expect(settled).toEqual([1000]);
});

test('an order that is lost in the background ends only that work', async () => {
  const settle = () => Promise.reject(new OrderError({ kind: 'ORDER_LOST', id: 'made' }));
  const { place, detached } = startPlacing({}, { isUnavailable: true, settle });
  expect(await place(2000)).toMatchObject({ state: 'PENDING' });
  await expect(Promise.all(detached)).resolves.toEqual([undefined]);
});

test('an order whose outcome cannot be stored in time is returned PENDING', async () => {
  const { place } = startPlacing({}, { settle: () => new Promise(() => {}) });
  expect(await place(250)).toMatchObject({ state: 'PENDING' });
});

test.each([200, 100, 0, -5])('no step is asked with %i ms left, and the order is PENDING', async (leftMs) => {
  const { place, placed, settled } = startPlacing();
  expect(await place(leftMs)).toMatchObject({ state: 'PENDING' });
  expect(placed).toHaveLength(1);
  expect(settled).toEqual([]);
});

test.each(['CONFIRMED', 'CANCELLED', 'REJECTED'] as const)(
  'no step is asked again for an order that is %s',
  async (state) => {
    const { place, settled } = startPlacing({ state });
    expect(await place(2000)).toMatchObject({ state });
    expect(settled).toEqual([]);
  },
);

test('an order with a repeated SKU is not stored', async () => {
  const { place, placed } = startPlacing();
  await expect(place(2000, [...lines, ...lines])).rejects.toThrow(OrderError);
  expect(placed).toEqual([]);
});
