import { test } from '@acme/test/support/pair-test';
import { untilSettled } from '@acme/test/support/until-settled';
import { expect } from 'vitest';
import { openCustomers } from './customer.ts';
import type { Call, Wish } from './history.ts';
import { judge } from './verdict.ts';

test('ensure what is lost, oversold, unsettled and contradicted is told, and nothing of books that are right', async ({
  pair,
}) => {
  await pair.setStock({ A: 100 });
  const history: Call[] = [];
  using customers = openCustomers({
    target: pair.ordersTargets[0] ?? '',
    token: await pair.token('shop', ['orders:write', 'orders:write:any']),
    onCall: (call) => history.push(call),
  });
  const place = async () => {
    const wish: Wish = { customerId: 'shop alice', requestId: crypto.randomUUID(), units: { A: 1 } };
    const placed = await customers.place(wish, { deadlineMs: 10_000 });
    return placed.kind === 'ok' ? placed.orderId : '';
  };
  const [gone, late] = [await place(), await place(), await place()];
  await untilSettled(pair);
  expect(await judge(pair, history, 'shop')).toEqual({ lost: [], oversold: [], unsettled: [], wrong: [] });
  const ofGone = history.filter(({ outcome }) => outcome.kind === 'ok' && outcome.orderId === gone);
  const answeredLate = ofGone.map(
    (call) => ({ ...call, outcome: { ...call.outcome, orderId: late } }) as Call,
  );
  expect((await judge(pair, [...ofGone, ...answeredLate], 'shop')).wrong).toEqual(
    expect.arrayContaining([
      `request ${ofGone[0]?.wish.requestId} was answered with ${gone} and with ${late}`,
      `order ${late} was not asked for, or all who asked were refused`,
    ]),
  );

  await pair.ordersDatabase.query('DELETE FROM orders WHERE id = $1', [gone]);
  await pair.ordersDatabase.query(
    `UPDATE orders SET state = 'PENDING', settle_after = now() + interval '1 h' WHERE id = $1`,
    [late],
  );
  await pair.inventoryDatabase.query('ALTER TABLE stock DROP CONSTRAINT stock_not_oversold');
  await pair.inventoryDatabase.query(`UPDATE stock SET on_hand = 2 WHERE sku = 'A'`);
  expect(await judge(pair, history, 'shop')).toMatchObject({
    lost: [`order ${gone} does not exist`],
    oversold: ['A: 2 on hand, 3 reserved'],
    unsettled: [`order ${late} is PENDING and not settled`],
    wrong: expect.arrayContaining([
      `reservation ${gone} is live and has no order`,
      `order ${late} was answered CONFIRMED and is PENDING`,
    ]),
  });
});
