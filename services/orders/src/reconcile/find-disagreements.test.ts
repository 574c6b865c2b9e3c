import { expect, test } from 'vitest';
import type { ComparedOrder, ComparedReservation } from './disagreement.ts';
import { type FindOptions, findDisagreements, type IdRange, type ItemPage } from './find-disagreements.ts';

const nowMs = Date.parse('2026-01-02T03:04:05Z');
const longAgo = new Date(nowMs - 3_600_000);
const lines = [{ sku: 'A', quantity: 1 }];

let made = 0;

/** Returns an id after those before. */
function nextId(): string {
  made += 1;
  return `0198c0de-0000-7000-8000-${String(made).padStart(12, '0')}`;
}

/** The two databases, with pages of this many items. */
function fakeDatabases({ pageSize = 2 } = {}) {
  const orders = new Map<string, ComparedOrder>();
  const reservations = new Map<string, ComparedReservation>();
  const pageOf =
    <Item extends { readonly id: string }>(all: ReadonlyMap<string, Item>) =>
    async ({ after, until }: IdRange): Promise<ItemPage<Item>> => {
      const found = [...all.values()]
        .filter(({ id }) => id > after && id <= until)
        .toSorted((a, b) => (a.id < b.id ? -1 : 1));
      return { items: found.slice(0, pageSize), hasMore: found.length > pageSize };
    };
  return {
    databases: { orders: pageOf(orders), reservations: pageOf(reservations) },
    order: (change: Partial<ComparedOrder> = {}) => {
      const order: ComparedOrder = {
        id: nextId(),
        customerId: 'alice',
        lines,
        state: 'CONFIRMED',
        rejection: undefined,
        version: 2n,
        createTime: longAgo,
        updateTime: longAgo,
        isSettled: true,
        ...change,
      };
      orders.set(order.id, order);
      return order.id;
    },
    reservation: (change: Partial<ComparedReservation> = {}) => {
      const reservation: ComparedReservation = {
        id: nextId(),
        state: 'RESERVED',
        lines,
        createTime: longAgo,
        ...change,
      };
      reservations.set(reservation.id, reservation);
      return reservation.id;
    },
  };
}

/** Returns the kinds of the disagreements by id, the number of compared ids, and the pauses. */
async function find(databases: FindOptions['databases'], onSleep: () => void = () => {}) {
  const pausesMs: number[] = [];
  const sleep = async (durationMs: number) => {
    pausesMs.push(durationMs);
    onSleep();
  };
  const comparisons = await Array.fromAsync(findDisagreements({ databases, nowMs: () => nowMs, sleep }));
  const found = comparisons.flatMap(({ disagreements }) => disagreements.map(({ id, kind }) => [id, kind]));
  return {
    found: Object.fromEntries(found),
    compared: comparisons.reduce((sum, { compared }) => sum + compared, 0),
    pausesMs,
  };
}

test('every kind of disagreement is found, and what agrees or is the settler’s is not', async () => {
  const fake = fakeDatabases();
  fake.reservation({ id: fake.order() });
  fake.reservation({
    id: fake.order({ lines: [{ sku: 'B', quantity: 2 }, ...lines] }),
    lines: [...lines, { sku: 'B', quantity: 2 }],
  });
  fake.order({ state: 'REJECTED' });
  fake.reservation({ id: fake.order({ state: 'CANCELLED' }), state: 'RELEASED' });
  fake.reservation({ id: fake.order({ state: 'REJECTED' }), state: 'REFUSED' });
  fake.order({ state: 'PENDING', isSettled: false });
  fake.reservation({ id: fake.order({ state: 'CANCELLED', isSettled: false }) });
  fake.reservation({ state: 'RELEASED' });
  const expected = {
    [fake.reservation()]: 'ORDER_MISSING',
    [fake.reservation({ id: fake.order({ state: 'CANCELLED' }) })]: 'ORDER_CLOSED',
    [fake.reservation({ id: fake.order({ state: 'REJECTED' }) })]: 'ORDER_CLOSED',
    [fake.order()]: 'RESERVATION_MISSING',
    [fake.reservation({ id: fake.order(), state: 'RELEASED' })]: 'RESERVATION_RELEASED',
    [fake.reservation({ id: fake.order(), state: 'REFUSED' })]: 'RESERVATION_REFUSED',
    [fake.reservation({ id: fake.order(), lines: [{ sku: 'A', quantity: 2 }] })]: 'RESERVATION_DIFFERS',
  };
  expect(await find(fake.databases)).toMatchObject({ found: expected, compared: 15 });
});

test('each id is compared once, however the pages of the two databases overlap', async () => {
  for (const pageSize of [1, 2, 3, 7, 100]) {
    const fake = fakeDatabases({ pageSize });
    const expected: Record<string, string> = {};
    for (const kind of 'orders, then both, reservations, both, orders'.split(', '))
      for (let count = 0; count < 5; count++) {
        if (kind.includes('orders')) expected[fake.order()] = 'RESERVATION_MISSING';
        else if (kind === 'reservations') expected[fake.reservation()] = 'ORDER_MISSING';
        else fake.reservation({ id: fake.order() });
      }
    expect(await find(fake.databases)).toMatchObject({ found: expected, compared: 25 });
  }
});

test('a disagreement that is gone or another one at the second look is not reported', async () => {
  const fake = fakeDatabases({ pageSize: 100 });
  const placing = fake.reservation();
  const cancelling = fake.reservation({ id: fake.order({ state: 'CANCELLED' }) });
  const changing = fake.order();
  const lasting = fake.order();
  const { found } = await find(fake.databases, () => {
    fake.order({ id: placing });
    fake.reservation({ id: cancelling, state: 'RELEASED' });
    fake.reservation({ id: changing, state: 'RELEASED' });
  });
  expect(found).toEqual({ [lasting]: 'RESERVATION_MISSING' });
});

test('the second look is a second later, and waits until an order is 10 s old', async () => {
  const fake = fakeDatabases();
  fake.order();
  expect((await find(fake.databases)).pausesMs).toEqual([1000]);
  fake.order({ createTime: new Date(nowMs - 3000) });
  expect((await find(fake.databases)).pausesMs).toEqual([7000]);
  // The clock of the process that placed it is ahead.
  fake.order({ createTime: new Date(nowMs + 60_000) });
  fake.order({ createTime: new Date(nowMs + 60_000) });
  expect((await find(fake.databases)).pausesMs).toEqual([7000, 10_000]);
});

test('databases that agree are compared without a pause', async () => {
  const fake = fakeDatabases();
  for (let count = 0; count < 5; count++) fake.reservation({ id: fake.order() });
  expect(await find(fake.databases)).toEqual({ found: {}, compared: 5, pausesMs: [] });
});
