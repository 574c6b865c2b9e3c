import { randomUUID } from 'node:crypto';
import { Order_State } from '@acme/gen/orders/v1/order_pb';
import { Code, RpcError } from '@acme/rpc/errors';
import { ErrorInfoSchema } from '@acme/rpc/gen/google/rpc/error_details_pb';
import { rejectionOf } from '@acme/rpc/testing';
import { expect, test } from 'vitest';
import { holdLock } from '../support/hold-lock.ts';
import { linesOf } from '../support/order-lines.ts';
import { reservedUnits } from '../support/reserved-units.ts';
import { type Clients, startTestPair } from '../support/start-test-pair.ts';
import { untilSettled } from '../support/until-settled.ts';

async function stateOf({ orders }: Clients, id: string): Promise<Order_State | undefined> {
  return (await orders.getOrder({ id })).order?.state;
}

/** Places an order while inventory is stopped. */
async function placePending({ orders }: Clients, units: Record<string, number>) {
  const request = { requestId: randomUUID(), lines: linesOf(units) };
  const { order } = await orders.placeOrder(request);
  if (!order) throw new Error('the response has no order');
  expect(order.state).toBe(Order_State.PENDING);
  return { request, order };
}

test.concurrent('orders are accepted while inventory is unavailable, and settled when it is back', async () => {
  await using pair = await startTestPair();
  await pair.setStock({ enough: 10, short: 1 });
  const customer = await pair.clientsFor('alice');
  await pair.stopInventory();

  const fits = await placePending(customer, { enough: 3 });
  const tooMany = await placePending(customer, { enough: 1, short: 2 });
  const unknown = await placePending(customer, { nothing: 1 });
  expect(await customer.orders.getOrder({ id: fits.order.id })).toMatchObject({ order: fits.order });
  expect(await customer.orders.placeOrder(fits.request)).toMatchObject({ order: fits.order });

  await pair.restartInventory();
  await untilSettled(pair);
  expect(await stateOf(customer, fits.order.id)).toBe(Order_State.CONFIRMED);
  expect(await stateOf(customer, tooMany.order.id)).toBe(Order_State.REJECTED);
  expect(await stateOf(customer, unknown.order.id)).toBe(Order_State.REJECTED);
  expect(await reservedUnits(pair, ['enough', 'short'])).toEqual({ enough: 3, short: 0 });

  const replay = await customer.orders.placeOrder(fits.request);
  expect(replay.order).toMatchObject({ id: fits.order.id, state: Order_State.CONFIRMED });
  const refusal = await rejectionOf(customer.orders.placeOrder(tooMany.request));
  expect(refusal.findDetail(ErrorInfoSchema)).toMatchObject({
    reason: 'OUT_OF_STOCK',
    metadata: { order_id: tooMany.order.id },
  });
  // The order has changed since the caller saw it.
  const stale = await rejectionOf(customer.orders.cancelOrder({ id: fits.order.id, etag: fits.order.etag }));
  expect(stale.code).toBe(Code.ABORTED);
});

test.concurrent('an order that is cancelled while inventory is unavailable holds no stock afterwards', async () => {
  await using pair = await startTestPair();
  await pair.setStock({ tomb: 10 });
  const customer = await pair.clientsFor('alice');
  await pair.stopInventory();
  const { order } = await placePending(customer, { tomb: 3 });
  const cancelled = await customer.orders.cancelOrder({ id: order.id, etag: order.etag });
  expect(cancelled.order?.state).toBe(Order_State.CANCELLED);

  await pair.restartInventory();
  await untilSettled(pair);
  const { inventory } = await pair.clientsFor('orders', ['inventory:reserve']);
  const late = await rejectionOf(
    inventory.reserveStock({ reservationId: order.id, lines: linesOf({ tomb: 3 }) }),
  );
  expect(late.code).toBe(Code.FAILED_PRECONDITION);
  expect(late.findDetail(ErrorInfoSchema)?.reason).toBe('RESERVATION_RELEASED');
  expect(await stateOf(customer, order.id)).toBe(Order_State.CANCELLED);
  expect(await reservedUnits(pair, ['tomb'])).toEqual({ tomb: 0 });
});

test.concurrent('a PENDING order whose reservation was released is REJECTED with the reason', async () => {
  await using pair = await startTestPair();
  await pair.setStock({ released: 10 });
  const customer = await pair.clientsFor('alice');
  await pair.stopInventory();
  const { request, order } = await placePending(customer, { released: 3 });
  await pair.inventoryDatabase.query(
    `INSERT INTO reservations (id, state, lines, create_time, update_time) VALUES ($1, 'RELEASED', '[]', now(), now())`,
    [order.id],
  );
  await pair.restartInventory();
  await untilSettled(pair);
  expect(await customer.orders.getOrder({ id: order.id })).toMatchObject({
    order: { state: Order_State.REJECTED, rejectReason: 'RESERVATION_RELEASED' },
  });
  const repeated = await rejectionOf(customer.orders.placeOrder(request));
  expect(repeated).toMatchObject({ code: Code.FAILED_PRECONDITION });
  expect(repeated.findDetail(ErrorInfoSchema)).toMatchObject({
    domain: 'orders.v1',
    reason: 'RESERVATION_RELEASED',
    metadata: { order_id: order.id },
  });
  expect(await reservedUnits(pair, ['released'])).toEqual({ released: 0 });
});

test.concurrent('an order whose reserve times out is returned PENDING and settled later', async () => {
  await using pair = await startTestPair();
  await pair.setStock({ frozen: 10 });
  const customer = await pair.clientsFor('alice');
  await using lock = await holdLock(pair.inventoryDatabase, 'LOCK TABLE stock');
  const { request, order } = await placePending(customer, { frozen: 3 });
  await lock.release();
  await untilSettled(pair);
  expect(await stateOf(customer, order.id)).toBe(Order_State.CONFIRMED);
  expect((await customer.orders.placeOrder(request)).order?.id).toBe(order.id);
  expect(await reservedUnits(pair, ['frozen'])).toEqual({ frozen: 3 });
});

test.concurrent('a late confirm does not revive a cancelled order', async () => {
  await using pair = await startTestPair();
  await pair.setStock({ late: 10 });
  const customer = await pair.clientsFor('alice');
  await using lock = await holdLock(pair.inventoryDatabase, 'LOCK TABLE stock');
  const placing = customer.orders.placeOrder({ requestId: randomUUID(), lines: linesOf({ late: 3 }) });
  await lock.untilBlocked(1);
  const [pending] = (await customer.orders.listOrders({})).orders;
  await customer.orders.cancelOrder({ id: pending?.id ?? '' });
  // Now the reserve succeeds.
  await lock.release();
  expect((await placing).order?.id).toBe(pending?.id);
  await untilSettled(pair);
  expect(await stateOf(customer, pending?.id ?? '')).toBe(Order_State.CANCELLED);
  expect(await reservedUnits(pair, ['late'])).toEqual({ late: 0 });
});

test.concurrent('an order is placed once, even if the deadline is too short for the response', async () => {
  await using pair = await startTestPair();
  await pair.setStock({ hurry: 1000 });
  const customer = await pair.clientsFor('alice');
  const hurried = [1, 5, 10, 20, 40, 80, 150, 190, 250].map((deadlineMs) => ({
    request: { requestId: randomUUID(), lines: linesOf({ hurry: 1 }) },
    deadlineMs,
  }));
  for (const { request, deadlineMs } of hurried) {
    const response = await customer.orders.placeOrder(request, { deadlineMs }).catch((error) => error);
    if (response instanceof RpcError) expect(response.code).toBe(Code.DEADLINE_EXCEEDED);
    else expect([Order_State.PENDING, Order_State.CONFIRMED]).toContain(response.order.state);
  }
  await untilSettled(pair);
  const before = (await customer.orders.listOrders({})).orders;
  expect(before.map(({ state }) => state)).toEqual(before.map(() => Order_State.CONFIRMED));
  for (const { request } of hurried)
    expect((await customer.orders.placeOrder(request)).order?.state).toBe(Order_State.CONFIRMED);
  expect((await customer.orders.listOrders({})).orders).toHaveLength(hurried.length);
  expect(await reservedUnits(pair, ['hurry'])).toEqual({ hurry: hurried.length });
});
