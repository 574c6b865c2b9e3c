import { randomUUID } from 'node:crypto';
import { Reservation_State } from '@acme/gen/inventory/v1/stock_pb';
import { Code } from '@acme/rpc/errors';
import { rejectionOf } from '@acme/rpc/testing';
import { expect } from 'vitest';
import { linesOf } from '../support/order-lines.ts';
import { test as pairTest } from '../support/pair-test.ts';
import type { Clients } from '../support/start-test-pair.ts';

const test = pairTest.extend('inventory', async ({ pair }) => {
  const { inventory } = await pair.clientsFor('orders', ['inventory:reconcile', 'inventory:reserve']);
  return inventory;
});

type Filters = { afterId?: string; untilId?: string; pageSize?: number };

async function listAll(inventory: Clients['inventory'], filters: Filters): Promise<string[]> {
  const ids: string[] = [];
  let pageToken = '';
  do {
    const page = await inventory.listReservations({ ...filters, pageToken });
    expect(page.reservations.length).toBeLessThanOrEqual(filters.pageSize || 50);
    ids.push(...page.reservations.map(({ id }) => id));
    pageToken = page.nextPageToken;
  } while (pageToken !== '');
  return ids;
}

/** Makes reservations, and returns their ids in their order. */
async function reserve(inventory: Clients['inventory'], count: number, lines = linesOf({ listed: 1 })) {
  const ids = Array.from({ length: count }, () => randomUUID()).toSorted();
  for (const reservationId of ids) await inventory.reserveStock({ reservationId, lines });
  return ids;
}

test('the pages contain each reservation once, by id, between the ids of the filters', async ({
  pair,
  inventory,
}) => {
  await pair.setStock({ listed: 1000 });
  const ids = await reserve(inventory, 7);
  for (const pageSize of [0, 1, 3, 200]) expect(await listAll(inventory, { pageSize })).toEqual(ids);
  const [first = '', second = '', , , fifth = ''] = ids;
  const range = { afterId: first, untilId: fifth.toUpperCase() };
  expect(await listAll(inventory, { ...range, pageSize: 2 })).toEqual(ids.slice(1, 5));
  expect(await listAll(inventory, { untilId: first })).toEqual([first]);
  expect(await listAll(inventory, { afterId: second, untilId: first })).toEqual([]);
});

test('a reservation is listed in each of its states', async ({ pair, inventory }) => {
  await pair.setStock({ listed: 1000 });
  const [reserved = '', released = '', late = '', refused = ''] = await reserve(inventory, 2).then((ids) => [
    ...ids,
    randomUUID(),
    randomUUID(),
  ]);
  const lines = linesOf({ listed: 1 });
  await inventory.releaseStock({ reservationId: released });
  await inventory.releaseStock({ reservationId: late });
  await rejectionOf(inventory.reserveStock({ reservationId: refused, lines: linesOf({ listed: 9999 }) }));
  const stateOf = async (id: string) => {
    const { reservations } = await inventory.listReservations({ untilId: id, pageSize: 200 });
    return reservations.at(-1);
  };
  expect(await stateOf(reserved)).toMatchObject({ id: reserved, state: Reservation_State.RESERVED, lines });
  expect(await stateOf(released)).toMatchObject({ id: released, state: Reservation_State.RELEASED, lines });
  expect(await stateOf(late)).toMatchObject({ id: late, state: Reservation_State.RELEASED, lines: [] });
  expect(await stateOf(refused)).toMatchObject({ id: refused, state: Reservation_State.REFUSED });
});

test('a page holds 50 reservations by default and at most 1,000', async ({ pair, inventory }) => {
  await pair.inventoryDatabase.query(
    `INSERT INTO reservations (id, state, lines, create_time, update_time)
     SELECT gen_random_uuid(), 'RELEASED', '[]', now(), now() FROM generate_series(1, 1010)`,
  );
  const sizeOf = async (pageSize: number) =>
    (await inventory.listReservations({ pageSize })).reservations.length;
  expect(await Promise.all([0, 1, 1000, 2 ** 31 - 1].map(sizeOf))).toEqual([50, 1, 1000, 1000]);
});

test('a page of large reservations ends early', async ({ pair, inventory }) => {
  await pair.setStock(
    Object.fromEntries(Array.from({ length: 1000 }, (_, index) => [`large-${index}`, 100])),
  );
  const lines = Array.from({ length: 1000 }, (_, index) => ({ sku: `large-${index}`, quantity: 1 }));
  const [first = ''] = await reserve(inventory, 12, lines);
  const { reservations, nextPageToken } = await inventory.listReservations({
    afterId: first,
    pageSize: 1000,
  });
  expect(reservations.filter((each) => each.lines.length === 1000).length).toBeLessThan(11);
  expect(nextPageToken).not.toBe('');
});

test('a page token is valid with the filters of its page only', async ({ pair, inventory }) => {
  await pair.setStock({ listed: 1000 });
  const [first = ''] = await reserve(inventory, 3);
  const { nextPageToken: pageToken } = await inventory.listReservations({ pageSize: 1 });
  for (const request of [{ pageToken, afterId: first }, { pageToken, untilId: first }, { pageToken: 'x' }])
    expect((await rejectionOf(inventory.listReservations(request))).code).toBe(Code.INVALID_ARGUMENT);
});
