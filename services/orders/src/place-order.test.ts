import { expect, test } from 'vitest';
import { fingerprintOf, type Order, OrderError } from './order/order.ts';
import type { NewOrder } from './order/order-store.ts';
import { createPlaceOrder } from './place-order.ts';

const lines = [{ sku: 'A', quantity: 1 }];

interface World {
  readonly settle?: (order: Order) => Promise<Order>;
  readonly isAway?: boolean;
}

const confirmed = async (order: Order): Promise<Order> => ({ ...order, state: 'CONFIRMED' });

/** The use case at noon, with a store that answers this and a note of what was asked for. */
function atNoon(stored: Partial<Order> = {}, { settle = confirmed, isAway = false }: World = {}) {
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
    isInventoryUnavailable: () => isAway,
    detach: (work) => detached.push(work()),
    newId: () => 'new',
    nowMs: () => 1_000_000,
  });
  const place = (leftMs: number, asked = lines) =>
    placeOrder({ customerId: 'alice', requestId: 'request', lines: asked, deadline: 1_000_000 + leftMs });
  return { place, placed, settled, detached };
}

test('ensure a new order is written down and then settled, with time kept back for the answer', async () => {
  const { place, placed, settled } = atNoon();
  expect(await place(1000)).toMatchObject({ id: 'made', state: 'CONFIRMED' });
  expect(placed).toEqual([
    { id: 'new', customerId: 'alice', requestId: 'request', lines, fingerprint: fingerprintOf(lines) },
  ]);
  expect(settled).toEqual([800]);
});

test('ensure inventory has a second at the most, whatever time the caller has', async () => {
  const { place, settled } = atNoon();
  await place(10_000);
  expect(settled).toEqual([1000]);
});

test('ensure nobody waits for an inventory that is away, and it is asked all the same', async () => {
  const { place, settled, detached } = atNoon({}, { isAway: true });
  expect(await place(2000)).toMatchObject({ state: 'PENDING' });
  expect(await Promise.all(detached)).toMatchObject([{ state: 'CONFIRMED' }]);
  expect(settled).toEqual([1000]);
});

test('ensure an outcome that cannot be written down in time is answered PENDING', async () => {
  const { place } = atNoon({}, { settle: () => new Promise(() => {}) });
  expect(await place(250)).toMatchObject({ state: 'PENDING' });
});

test.each([200, 100, 0, -5])(
  'ensure inventory is not asked with %i ms left, and the order is PENDING',
  async (leftMs) => {
    const { place, placed, settled } = atNoon();
    expect(await place(leftMs)).toMatchObject({ state: 'PENDING' });
    expect(placed).toHaveLength(1);
    expect(settled).toEqual([]);
  },
);

test.each(['CONFIRMED', 'CANCELLED', 'REJECTED'] as const)(
  'ensure inventory is not asked again about an order that is %s',
  async (state) => {
    const { place, settled } = atNoon({ state });
    expect(await place(2000)).toMatchObject({ state });
    expect(settled).toEqual([]);
  },
);

test('ensure an order with a SKU that comes twice is never written down', async () => {
  const { place, placed } = atNoon();
  await expect(place(2000, [...lines, ...lines])).rejects.toThrow(OrderError);
  expect(placed).toEqual([]);
});
