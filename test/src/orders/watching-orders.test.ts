import { Order_State } from '@acme/gen/orders/v1/order_pb';
import { prune } from '@acme/postgres/feed';
import { resumingWatch } from '@acme/rpc/client';
import { Code, type RpcError } from '@acme/rpc/errors';
import { ErrorInfoSchema } from '@acme/rpc/gen/google/rpc/error_details_pb';
import { rejectionOf } from '@acme/rpc/testing';
import { expect } from 'vitest';
import { test as pairTest } from '../support/pair-test.ts';
import { startTestPair } from '../support/start-test-pair.ts';
import { placeOrder, watchOrders } from '../support/watched-orders.ts';

const test = pairTest
  // biome-ignore lint/correctness/noEmptyPattern: vitest parses the parameter to find the fixtures that it uses.
  .override('pair', { scope: 'file' }, async ({}, { onCleanup }) => {
    const pair = await startTestPair({ ordersReplicas: 2 });
    onCleanup(() => pair[Symbol.asyncDispose]());
    return pair;
  });

test('a watch returns the order right after each change', async ({
  pair,
  customer: { orders },
  customerId,
}) => {
  await pair.setStock({ seen: 10 });
  await using watch = await watchOrders(orders);
  const id = await placeOrder(orders, 'seen', 2);
  await orders.cancelOrder({ id });
  await placeOrder(orders, 'seen', 11).catch(() => {});
  const lines = [{ sku: 'seen', quantity: 2 }];
  const placed = { id, customerId, lines, state: Order_State.PENDING, etag: '1' };
  expect((await watch.next()).order).toMatchObject(placed);
  expect(await watch.change()).toBe('CONFIRMED 2');
  expect((await watch.next()).order).toEqual((await orders.getOrder({ id })).order);
  expect(await watch.change()).toBe('PENDING 1');
  const rejected = { state: Order_State.REJECTED, rejectReason: 'OUT_OF_STOCK', etag: '2' };
  expect((await watch.next()).order).toMatchObject(rejected);
});

test('a watch resumes on another replica with exactly the missed changes', async ({ pair, customerId }) => {
  await pair.setStock({ resumed: 10 });
  const here = (await pair.clientsFor(customerId)).orders;
  const there = (await pair.clientsFor(customerId, undefined, 1)).orders;
  await using first = await watchOrders(here);
  const id = await placeOrder(here, 'resumed');
  const { resumeToken } = await first.next();
  await there.cancelOrder({ id });
  await using fromTheMiddle = await watchOrders(there, { resumeToken });
  expect(await fromTheMiddle.change()).toBe('CONFIRMED 2');
  expect(await fromTheMiddle.change()).toBe('CANCELLED 3');
  await using fromTheStart = await watchOrders(there, { resumeToken: first.token });
  expect(await fromTheStart.change()).toBe('PENDING 1');
});

test('a watch continues after a restart and delivers each missed change once', async ({
  pair,
  customer: { orders },
  customerId,
}) => {
  await pair.setStock({ restarted: 10 });
  const other = (await pair.clientsFor(customerId, undefined, 1)).orders;
  const interruptions: unknown[] = [];
  const stop = new AbortController();
  const watch = resumingWatch(
    orders.watchOrders,
    {},
    { signal: stop.signal, onInterrupted: (error) => interruptions.push(error) },
  );
  await watch.next();
  const seen: string[] = [];
  const seeing = (async () => {
    for await (const { order } of watch) if (order) seen.push(`${order.id} ${order.etag}`);
  })();
  const expected: string[] = [];
  const placeOn = async (client: typeof orders) => {
    const id = await placeOrder(client, 'restarted');
    expected.push(`${id} 1`, `${id} 2`);
  };
  await placeOn(orders);
  const restarting = pair.restartOrders(0);
  await placeOn(other);
  await restarting;
  await placeOn(other);
  await expect.poll(() => seen).toEqual(expected);
  expect(interruptions[0]).toMatchObject({ code: Code.UNAVAILABLE, message: 'the server is shutting down' });
  stop.abort();
  expect(await rejectionOf(seeing)).toMatchObject({ code: Code.CANCELLED });
});

test('watching the orders of another customer needs a scope', async ({ pair, customerId }) => {
  await pair.setStock({ private: 10 });
  const mine = (await pair.clientsFor(customerId)).orders;
  const theirs = (await pair.clientsFor(`not-${customerId}`)).orders;
  const auditor = (await pair.clientsFor('auditor', ['orders:read', 'orders:read:any'])).orders;
  await using own = await watchOrders(mine);
  await using audited = await watchOrders(auditor, { customerId });
  await placeOrder(theirs, 'private');
  const id = await placeOrder(mine, 'private');
  expect((await own.next()).order.id).toBe(id);
  expect((await audited.next()).order.id).toBe(id);
  const refused = await rejectionOf(theirs.watchOrders({ customerId }).next());
  expect(refused.code).toBe(Code.PERMISSION_DENIED);
  expect(await rejectionOf(resumingWatch(theirs.watchOrders, { customerId }).next())).toEqual(refused);
});

test('a resume token that is altered or belongs to another watch is INVALID_ARGUMENT', async ({
  pair,
  customerId,
  customer: { orders },
}) => {
  const { token } = await watchOrders(orders);
  const others = (await pair.clientsFor(`not-${customerId}`)).orders;
  const altered = `${token.startsWith('A') ? 'B' : 'A'}${token.slice(1)}`;
  for (const call of [
    orders.watchOrders({ resumeToken: altered }),
    orders.watchOrders({ resumeToken: 'x' }),
    others.watchOrders({ resumeToken: token }),
  ]) {
    const { code, message } = await rejectionOf(call.next());
    expect(code).toBe(Code.INVALID_ARGUMENT);
    expect(message).toBe('resume_token: must be the resume_token of a watch with the same filters');
  }
});

test('a database that is restored to an older state ends watches and invalidates tokens with OUT_OF_RANGE', async ({
  pair,
  customer: { orders },
}) => {
  await pair.setStock({ restored: 100 });
  await using before = await watchOrders(orders);
  const restarts: RpcError[] = [];
  const stop = new AbortController();
  const resuming = resumingWatch(
    orders.watchOrders,
    {},
    { signal: stop.signal, onRestart: (error) => restarts.push(error) },
  );
  await resuming.next();
  await placeOrder(orders, 'restored');
  const { resumeToken } = await before.next();
  // Restores the state at which the watches began. Then more events are written than were lost.
  const { rows } = await pair.ordersDatabase.query('SELECT max(seq) - 2 AS seq FROM order_events');
  const { seq } = rows[0] as { seq: bigint };
  await pair.ordersDatabase.query('DELETE FROM order_events WHERE seq > $1', [seq]);
  await pair.ordersDatabase.query(
    `SELECT setval(pg_get_serial_sequence('order_events', 'seq'), greatest($1, 1), $1 > 0)`,
    [seq],
  );
  for (let order = 0; order < 3; order++) await placeOrder(orders, 'restored');

  const refused = await rejectionOf(orders.watchOrders({ resumeToken }).next());
  expect(refused.code).toBe(Code.OUT_OF_RANGE);
  expect(refused.findDetail(ErrorInfoSchema)).toMatchObject({
    domain: 'orders.v1',
    reason: 'RESUME_TOKEN_AHEAD',
  });
  const open = await rejectionOf(
    (async () => {
      for (;;) await before.next();
    })(),
  );
  expect(open.findDetail(ErrorInfoSchema)?.reason).toBe('RESUME_TOKEN_AHEAD');
  while (restarts.length === 0) await resuming.next();
  const id = await placeOrder(orders, 'restored');
  let response = await resuming.next();
  while (!response.value?.order) response = await resuming.next();
  expect(response.value.order.id).toBe(id);
  stop.abort();
});

test('a resume token whose events are pruned is OUT_OF_RANGE, and the message names the remedy', async ({
  pair,
  customer: { orders },
}) => {
  await pair.setStock({ pruned: 10 });
  await using watch = await watchOrders(orders);
  await placeOrder(orders, 'pruned');
  const { resumeToken } = await watch.next();
  expect(await watch.change()).toBe('CONFIRMED 2');
  await prune(pair.ordersDatabase, 'order_events', -60_000);
  const expired = await rejectionOf(resumingWatch(orders.watchOrders, { resumeToken }).next());
  expect(expired.code).toBe(Code.OUT_OF_RANGE);
  expect(expired.message).toMatch(/without a token/);
  expect(expired.findDetail(ErrorInfoSchema)).toMatchObject({
    domain: 'orders.v1',
    reason: 'RESUME_TOKEN_EXPIRED',
  });
  // The open watch is not affected.
  await placeOrder(orders, 'pruned');
  expect(await watch.change()).toBe('PENDING 1');
});
