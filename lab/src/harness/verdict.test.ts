import { test } from '@acme/test/support/pair-test';
import { untilSettled } from '@acme/test/support/until-settled';
import { expect } from 'vitest';
import { openCustomers } from './customers.ts';
import type { Call, Purchase } from './history.ts';
import { judgeHistory } from './verdict.ts';

test('the verdict lists lost, oversold, unsettled and contradictory orders, and nothing for consistent databases', async ({
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
    const purchase: Purchase = { customerId: 'shop alice', requestId: crypto.randomUUID(), units: { A: 1 } };
    const placed = await customers.place(purchase, { deadlineMs: 10_000 });
    return placed.kind === 'ok' ? placed.orderId : '';
  };
  const [gone, late] = [await place(), await place(), await place()];
  await untilSettled(pair);
  expect(await judgeHistory(pair, history, 'shop')).toEqual({
    lost: [],
    oversold: [],
    unsettled: [],
    wrong: [],
  });
  const ofGone = history.filter(({ outcome }) => outcome.kind === 'ok' && outcome.orderId === gone);
  const answeredLate = ofGone.map(
    (call) => ({ ...call, outcome: { ...call.outcome, orderId: late } }) as Call,
  );
  expect((await judgeHistory(pair, [...ofGone, ...answeredLate], 'shop')).wrong).toEqual(
    expect.arrayContaining([
      `request ${ofGone[0]?.purchase.requestId} returned orders ${gone} and ${late}`,
      `order ${late} was not requested, or all its requests were rejected`,
    ]),
  );

  await pair.ordersDatabase.query('DELETE FROM orders WHERE id = $1', [gone]);
  await pair.ordersDatabase.query(
    `UPDATE orders SET state = 'PENDING', settle_after = now() + interval '1 h' WHERE id = $1`,
    [late],
  );
  await pair.inventoryDatabase.query('ALTER TABLE stock DROP CONSTRAINT stock_not_oversold');
  await pair.inventoryDatabase.query(`UPDATE stock SET on_hand = 2 WHERE sku = 'A'`);
  expect(await judgeHistory(pair, history, 'shop')).toMatchObject({
    lost: [`order ${gone} does not exist`],
    oversold: ['A: 2 on hand, 3 reserved'],
    unsettled: [`order ${late} is PENDING and not settled`],
    wrong: expect.arrayContaining([
      `reservation ${gone} is live and has no order`,
      `order ${late} was answered CONFIRMED and is PENDING`,
    ]),
  });
});
