import { setTimeout as sleep } from 'node:timers/promises';
import { InventoryService } from '@acme/gen/inventory/v1/inventory_service_pb';
import { createClient } from '@acme/rpc/client/create-client';
import { openCustomers } from '../../harness/customer.ts';
import { caught, type Row, type Stage } from './scenario.ts';

/** What arrives too late: after something that was sent later, or long after its time. */
export const overtaking: readonly Row[] = [
  {
    name: '10-release-overtakes',
    fault: 'a reserve, or its answer, is held back until the order is cancelled and released',
    rounds: { short: 2, long: 20 },
    round: cancelWhileReserving,
  },
  {
    name: '11-settler-stopped',
    fault: 'a settler is stopped (SIGSTOP) until after its lease, and wakes up',
    rounds: { short: 1, long: 20 },
    round: stopSettler,
  },
  {
    name: 'old-reserve',
    fault: 'reserves that were released are delivered again',
    rounds: { short: 2, long: 20 },
    traffic: false,
    round: deliverAgain,
  },
];

/** The first replica of orders places through a line that holds it up; the second one cancels meanwhile. */
async function cancelWhileReserving({ rig, round, wish, customers, expect }: Stage): Promise<void> {
  const [first, second] = rig.orders;
  const [held] = rig.links[0] ?? [];
  if (!first || !second || !held) throw new Error('there are two replicas of orders');
  const isReserveHeld = round % 2 === 0;
  using atFirst = openCustomers({ ...customers.options, target: first.front.target });
  using atSecond = openCustomers({ ...customers.options, target: second.front.target });
  const wanted = wish({ a: 2, b: 1 });

  held.inject(isReserveHeld ? 'upstream' : 'downstream', { blackHole: true });
  const placing = atFirst.place(wanted);
  const id = await placedId(rig.ordersDatabase, wanted.requestId);
  if (!isReserveHeld) await sleep(100);
  const released = caught(second.statements, {
    phase: 'answer',
    statement: 'mark-released',
    act: ({ forward }) => forward(),
  });
  // Its own settler hears of it at once.
  const cancelled = await atSecond.cancel(wanted, id);
  expect(
    cancelled.kind === 'ok' && cancelled.state === 'CANCELLED',
    `cancelling was answered ${cancelled.kind}`,
  );
  // The settler of the first one may be the one that took it, and it is cut off.
  await Promise.race([released, sleep(1500)]).catch(() => {});
  held.heal();
  const placed = await placing;
  expect(placed.kind === 'ok', `placing was answered ${placed.kind}`);
}

async function placedId(database: Stage['rig']['ordersDatabase'], requestId: string): Promise<string> {
  for (let attempt = 0; attempt < 500; attempt++) {
    const { rows } = await database.query<{ id: string }>('SELECT id FROM orders WHERE request_id = $1', [
      requestId,
    ]);
    if (rows[0]) return rows[0].id;
    await sleep(10);
  }
  throw new Error(`no order of request ${requestId} came to be`);
}

/** Longer than a settler's lease, which is 2 s and up to half as long again. */
const beyondLeaseMs = 3500;

async function stopSettler({ rig, random, round }: Stage): Promise<void> {
  const victim = random.pick(rig.orders);
  const points = [
    { phase: 'answer', statement: 'take-due-orders', tag: /^UPDATE [1-9]/ },
    { phase: 'request', statement: 'mark-released' },
  ] as const;
  await caught(victim.statements, {
    ...(points[round % points.length] ?? points[0]),
    act: ({ forward }) => {
      victim.signal('SIGSTOP');
      forward();
    },
  });
  await sleep(beyondLeaseMs);
  victim.signal('SIGCONT');
  await sleep(200);
}

/** Cancels orders, and then sends inventory what orders had sent it before. */
async function deliverAgain({ rig, wish, customers, expect }: Stage): Promise<void> {
  const token = await rig.token('orders', ['inventory:reserve']);
  using inventory = createClient(InventoryService, {
    target: rig.inventory[0]?.front.target ?? '',
    token: () => token,
  });
  const orders = await Promise.all(
    Array.from({ length: 10 }, async () => {
      const wanted = wish({ a: 1, c: 2 });
      const placed = await customers.place(wanted);
      if (placed.kind !== 'ok') throw new Error(`placing was answered ${placed.kind}`);
      await customers.cancel(wanted, placed.orderId);
      return {
        reservationId: placed.orderId,
        lines: [
          { sku: 'a', quantity: 1 },
          { sku: 'c', quantity: 2 },
        ],
      };
    }),
  );
  for (const { reservationId } of orders) await inventory.releaseStock({ reservationId });
  const late = await Promise.allSettled(orders.map((order) => inventory.reserveStock(order)));
  const reserved = late.filter(({ status }) => status === 'fulfilled').length;
  expect(reserved === 0, `${reserved} of ${late.length} old reserves were taken`);
}
