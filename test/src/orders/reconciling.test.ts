import { randomUUID } from 'node:crypto';
import { Order_State } from '@acme/gen/orders/v1/order_pb';
import { createCancellationStore } from '@acme/orders/order/cancellation-store';
import { eventDifferences } from '@acme/orders/reconcile/event-differences';
import { createMend } from '@acme/orders/reconcile/mend';
import { createOrderRanges } from '@acme/orders/reconcile/order-ranges';
import { reconcile } from '@acme/orders/reconcile/reconcile';
import { createReservationRanges } from '@acme/orders/reconcile/reservation-ranges';
import { readReservedUnits } from '@acme/orders/reconcile/reserved-units';
import { ErrorInfoSchema } from '@acme/rpc/gen/google/rpc/error_details_pb';
import { rejectionOf } from '@acme/rpc/testing';
import { describe, expect } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { linesOf } from '../support/order-lines.ts';
import { test as pairTest } from '../support/pair-test.ts';
import { reservedUnits } from '../support/reserved-units.ts';
import type { Clients, TestPair } from '../support/start-test-pair.ts';
import { untilSettled } from '../support/until-settled.ts';

const test = pairTest.extend('inventory', async ({ pair }) => {
  const scopes = ['inventory:read', 'inventory:reconcile', 'inventory:reserve'];
  const { inventory } = await pair.clientsFor('orders', scopes);
  return inventory;
});

/** Runs the command in this process without its pauses. Returns its lines and the number of disagreements that are left. */
async function run(
  { ordersDatabase }: TestPair,
  inventory: Clients['inventory'],
  { mend = false, orders = createOrderRanges(ordersDatabase) } = {},
) {
  const lines: string[] = [];
  const left = await reconcile({
    databases: { orders, reservations: createReservationRanges(inventory) },
    readReservedUnits: () => readReservedUnits(inventory),
    eventDifferences: () => eventDifferences(ordersDatabase),
    mend: mend
      ? createMend({ inventory, cancellations: createCancellationStore(ordersDatabase, () => new Date()) })
      : undefined,
    print: (line) => lines.push(line),
    nowMs: Date.now,
    sleep: async () => {},
  });
  const summary = lines.pop();
  return { lines, summary, left };
}

async function place({ orders }: Clients, units: Record<string, number>): Promise<string> {
  const { order } = await orders.placeOrder({ requestId: randomUUID(), lines: linesOf(units) });
  const id = order?.id ?? '';
  await eventually(async () =>
    expect((await orders.getOrder({ id })).order?.state).toBe(Order_State.CONFIRMED),
  );
  return id;
}

/** Brings inventory's database back to a time before the reservation. */
async function loseReservation({ inventoryDatabase }: TestPair, id: string, units: Record<string, number>) {
  await inventoryDatabase.query('DELETE FROM reservations WHERE id = $1', [id]);
  for (const [sku, count] of Object.entries(units))
    await inventoryDatabase.query('UPDATE stock SET reserved = reserved - $2 WHERE sku = $1', [sku, count]);
}

/** Brings the database of orders back to a time before the order. */
async function loseOrder({ ordersDatabase }: TestPair, id: string) {
  await ordersDatabase.query('DELETE FROM order_events WHERE order_id = $1', [id]);
  await ordersDatabase.query('DELETE FROM orders WHERE id = $1', [id]);
}

/** Cancels an order, and waits until its stock is released. */
async function cancel(pair: TestPair, { orders }: Clients, id: string) {
  await orders.cancelOrder({ id });
  await untilSettled(pair);
}

test('a reservation without an order is reported, and released with a tombstone', async ({
  pair,
  customer,
  inventory,
}) => {
  await pair.setStock({ orphan: 10 });
  await place(customer, { orphan: 1 });
  const id = await place(customer, { orphan: 2 });
  await loseOrder(pair, id);
  const report = `reservation ${id} is live and has no order`;
  expect(await run(pair, inventory)).toMatchObject({ lines: [`${report}: --mend releases it`], left: 1 });
  expect(await reservedUnits(pair, ['orphan'])).toEqual({ orphan: 3 });
  expect(await run(pair, inventory, { mend: true })).toMatchObject({
    lines: [`${report}: released`],
    left: 0,
  });
  expect(await reservedUnits(pair, ['orphan'])).toEqual({ orphan: 1 });
  expect(await run(pair, inventory)).toMatchObject({ lines: [], left: 0 });
  const late = await rejectionOf(
    inventory.reserveStock({ reservationId: id, lines: linesOf({ orphan: 2 }) }),
  );
  expect(late.findDetail(ErrorInfoSchema)?.reason).toBe('RESERVATION_RELEASED');
});

test('nothing is mended with a database that has no orders', async ({ pair, customer, inventory }) => {
  await pair.setStock({ foreign: 10 });
  await place(customer, { foreign: 2 });
  const orders = async () => ({ items: [], hasMore: false });
  await expect(run(pair, inventory, { mend: true, orders })).rejects.toThrow(
    'DATABASE_URL leads to a database without orders',
  );
  expect(await reservedUnits(pair, ['foreign'])).toEqual({ foreign: 2 });
});

test('the live reservation of a cancelled order is released', async ({ pair, customer, inventory }) => {
  await pair.setStock({ closed: 10 });
  const id = await place(customer, { closed: 2 });
  await cancel(pair, customer, id);
  await pair.inventoryDatabase.query(`UPDATE reservations SET state = 'RESERVED' WHERE id = $1`, [id]);
  await pair.inventoryDatabase.query(`UPDATE stock SET reserved = 2 WHERE sku = 'closed'`);
  const report = `order ${id} is CANCELLED and its reservation is live`;
  expect(await run(pair, inventory, { mend: true })).toMatchObject({
    lines: [`${report}: released`],
    left: 0,
  });
  expect(await reservedUnits(pair, ['closed'])).toEqual({ closed: 0 });
});

test('the lost reservation of a confirmed order is made again', async ({ pair, customer, inventory }) => {
  await pair.setStock({ 'lost-1': 10, 'lost-2': 10 });
  const units = { 'lost-2': 3, 'lost-1': 2 };
  const id = await place(customer, units);
  await loseReservation(pair, id, units);
  const report = `order ${id} is CONFIRMED and has no reservation`;
  expect(await run(pair, inventory)).toMatchObject({
    lines: [`${report}: --mend reserves again, if there is enough stock`],
    left: 1,
  });
  const mended = await run(pair, inventory, { mend: true });
  expect(mended).toMatchObject({ lines: [`${report}: reserved again`], left: 0 });
  expect(mended.summary).toMatch(
    /^\d+ orders and reservations compared: 1 disagreed, 1 mended, 0 left; 2 items changed meanwhile$/,
  );
  expect(await reservedUnits(pair, ['lost-1', 'lost-2'])).toEqual({ 'lost-1': 2, 'lost-2': 3 });
  expect(await run(pair, inventory, { mend: true })).toMatchObject({ lines: [], left: 0 });
});

test('a confirmed order without enough stock is left, and mended when there is stock', async ({
  pair,
  customer,
  inventory,
}) => {
  await pair.setStock({ short: 3, gone: 1 });
  const short = await place(customer, { short: 2 });
  const gone = await place(customer, { gone: 1 });
  await loseReservation(pair, short, { short: 2 });
  await place(customer, { short: 2 });
  await loseReservation(pair, gone, { gone: 1 });
  await pair.inventoryDatabase.query(`DELETE FROM stock WHERE sku = 'gone'`);
  expect(await run(pair, inventory, { mend: true })).toMatchObject({
    lines: expect.arrayContaining([
      `order ${short} is CONFIRMED and has no reservation: 2 of short wanted, 1 available`,
      `order ${gone} is CONFIRMED and has no reservation: there is no SKU gone`,
    ]),
    left: 2,
  });
  await pair.setStock({ short: 4, gone: 1 });
  expect(await run(pair, inventory, { mend: true })).toMatchObject({ left: 0 });
  expect(await reservedUnits(pair, ['short', 'gone'])).toEqual({ short: 4, gone: 1 });
});

test('an order is left for a cancel if a customer gets its units after the look', async ({
  pair,
  customer,
  inventory,
}) => {
  await pair.setStock({ raced: 3 });
  const id = await place(customer, { raced: 2 });
  await loseReservation(pair, id, { raced: 2 });
  await place(customer, { raced: 2 });
  const beforeTheOther = await inventory.getStock({ sku: 'raced' });
  const early = {
    ...inventory,
    getStock: async () => ({ ...beforeTheOther, stock: { ...beforeTheOther.stock, available: 3n } }),
  } as typeof inventory;
  expect(await run(pair, early, { mend: true })).toMatchObject({
    lines: [expect.stringMatching(`^order ${id} is CONFIRMED and has no reservation: .*: cancel the order$`)],
    left: 1,
  });
  await cancel(pair, customer, id);
  expect(await run(pair, inventory)).toMatchObject({ lines: [], left: 0 });
});

test('an order whose cancel is lost is cancelled again', async ({ pair, customer, inventory }) => {
  await pair.setStock({ uncancelled: 10 });
  const id = await place(customer, { uncancelled: 2 });
  await cancel(pair, customer, id);
  await pair.ordersDatabase.query(`UPDATE orders SET state = 'CONFIRMED', version = 2 WHERE id = $1`, [id]);
  await pair.ordersDatabase.query('DELETE FROM order_events WHERE order_id = $1 AND version > 2', [id]);
  const report = `order ${id} is CONFIRMED and its reservation is released`;
  expect(await run(pair, inventory, { mend: true })).toMatchObject({
    lines: [`${report}: cancelled again`],
    left: 0,
  });
  await untilSettled(pair);
  expect((await customer.orders.getOrder({ id })).order?.state).toBe(Order_State.CANCELLED);
  expect(await reservedUnits(pair, ['uncancelled'])).toEqual({ uncancelled: 0 });
});

describe('a disagreement that needs a decision', () => {
  test.for([
    [
      'its reservation has other lines',
      `UPDATE reservations SET lines = '[{"sku": "odd", "quantity": 2}]'`,
      2,
    ],
    [
      'its reservation was refused',
      `UPDATE reservations SET state = 'REFUSED', refusal = '{"reason": "OUT_OF_STOCK", "items": []}'`,
      0,
    ],
  ] as const)(
    '%s: it is left, and ends when the order is cancelled',
    async ([problem, statement, reserved], { pair, customer, inventory }) => {
      await pair.setStock({ odd: 10 });
      const id = await place(customer, { odd: 1 });
      await pair.inventoryDatabase.query(`${statement} WHERE id = $1`, [id]);
      await pair.inventoryDatabase.query(`UPDATE stock SET reserved = $1 WHERE sku = 'odd'`, [reserved]);
      const lines = [`order ${id} is CONFIRMED and ${problem}: cancel the order`];
      expect(await run(pair, inventory, { mend: true })).toMatchObject({ lines, left: 1 });
      expect(await run(pair, inventory)).toMatchObject({ lines, left: 1 });
      await cancel(pair, customer, id);
      expect(await run(pair, inventory)).toMatchObject({ lines: [], left: 0 });
    },
  );
});

test('two runs at the same time mend each disagreement once', async ({ pair, customer, inventory }) => {
  await pair.setStock({ twice: 100 });
  const ids = await Promise.all(Array.from({ length: 20 }, () => place(customer, { twice: 1 })));
  for (const [index, id] of ids.entries()) {
    if (index % 2) await loseOrder(pair, id);
    else await loseReservation(pair, id, { twice: 1 });
  }
  const runs = await Promise.all([0, 1, 2].map(() => run(pair, inventory, { mend: true })));
  expect(runs.map(({ left }) => left)).toEqual([0, 0, 0]);
  expect(await reservedUnits(pair, ['twice'])).toEqual({ twice: 10 });
  expect(await run(pair, inventory)).toMatchObject({ lines: [], left: 0 });
});

test('units that no live reservation holds are reported, unless the item changes meanwhile', async ({
  pair,
  customer,
  inventory,
}) => {
  await pair.setStock({ units: 10 });
  await place(customer, { units: 2 });
  const setReserved = (sku: string, count: number, version: string) =>
    pair.inventoryDatabase.query(`UPDATE stock SET reserved = $2, version = ${version} WHERE sku = $1`, [
      sku,
      count,
    ]);
  await setReserved('units', 3, 'version');
  const line =
    'item units has 3 units reserved, 2 in live reservations: restore this database from another backup';
  for (const mend of [false, true])
    expect(await run(pair, inventory, { mend })).toMatchObject({ lines: [line], left: 1 });

  const units = await readReservedUnits(inventory);
  await setReserved('units', 4, 'version + 1');
  const { changed, differences } = await units.compare();
  expect(changed).toBe(1);
  expect(differences.filter((each) => each.startsWith('item units '))).toEqual([]);
  await setReserved('units', 2, 'version');
  expect(await run(pair, inventory)).toMatchObject({ lines: [], left: 0 });
});

test('events of another history than that of their orders are reported', async ({
  pair,
  customer,
  inventory,
}) => {
  await pair.setStock({ events: 10 });
  const id = await place(customer, { events: 1 });
  const setVersion = (version: number) =>
    pair.ordersDatabase.query('UPDATE orders SET version = $2 WHERE id = $1', [id, version]);
  await setVersion(1);
  const lines = ['version 1 (PENDING)', 'version 2 (CONFIRMED)'].map(
    (event) =>
      `order ${id} has an event of ${event} and is at version 1 (CONFIRMED): restore this database from another backup`,
  );
  expect(await run(pair, inventory)).toMatchObject({ lines, left: 2 });
  // Events are pruned, and need not be complete.
  await setVersion(3);
  expect(await run(pair, inventory)).toMatchObject({ lines: [], left: 0 });
});

test('events of an order that is missing are reported', async ({ pair, customer, inventory }) => {
  await pair.setStock({ orphans: 10 });
  const id = await place(customer, { orphans: 1 });
  await pair.ordersDatabase.query('DELETE FROM orders WHERE id = $1', [id]);
  const { lines } = await run(pair, inventory, { mend: true });
  const rest = 'and is missing: restore this database from another backup';
  for (const event of ['version 1 (PENDING)', 'version 2 (CONFIRMED)'])
    expect(lines).toContain(`order ${id} has an event of ${event} ${rest}`);
  await pair.ordersDatabase.query('DELETE FROM order_events WHERE order_id = $1', [id]);
});
