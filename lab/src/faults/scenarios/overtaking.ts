import { setTimeout as sleep } from 'node:timers/promises';
import { InventoryService } from '@acme/gen/inventory/v1/inventory_service_pb';
import { createClient } from '@acme/rpc/client';
import { openCustomers } from '../../harness/customers.ts';
import { catchStatement } from './catch-statement.ts';
import type { Scenario, ScenarioContext } from './scenario.ts';

/** Requests that arrive late: after a request that was sent later, or after their time. */
export const overtaking: readonly Scenario[] = [
  {
    name: '10-release-overtakes',
    fault: 'a reserve or its response is delayed until the order is cancelled and released',
    rounds: { short: 2, long: 20 },
    round: cancelWhileReserving,
  },
  {
    name: '11-settler-paused',
    fault: 'the orders process is paused (SIGSTOP) until its leases have expired',
    rounds: { short: 1, long: 20 },
    round: pauseSettler,
  },
  {
    name: 'old-reserve',
    fault: 'reserves are delivered again after their release',
    rounds: { short: 2, long: 20 },
    traffic: false,
    round: deliverAgain,
  },
];

/** The first orders replica places an order over a blocked link, and the second one cancels it meanwhile. */
async function cancelWhileReserving({
  cluster,
  round,
  purchase,
  customers,
  expect,
}: ScenarioContext): Promise<void> {
  const [first, second] = cluster.orders;
  const [held] = cluster.links[0] ?? [];
  if (!first || !second || !held) throw new Error('the cluster needs two orders replicas');
  const isReserveHeld = round % 2 === 0;
  using atFirst = openCustomers({ ...customers.options, target: first.front.target });
  using atSecond = openCustomers({ ...customers.options, target: second.front.target });
  const order = purchase({ a: 2, b: 1 });

  held.inject(isReserveHeld ? 'upstream' : 'downstream', { blackHole: true });
  const placing = atFirst.place(order);
  const id = await placedId(cluster.ordersDatabase, order.requestId);
  if (!isReserveHeld) await sleep(100);
  const released = catchStatement(second.statements, {
    phase: 'response',
    statement: 'mark-undone',
    act: ({ forward }) => forward(),
  });
  // The settler of the second replica is notified of the cancel.
  const cancelled = await atSecond.cancel(order, id);
  expect(
    cancelled.kind === 'ok' && cancelled.state === 'CANCELLED',
    `cancelling was answered ${cancelled.kind}`,
  );
  // The settler of the first replica, whose link is blocked, may have leased the order instead.
  await Promise.race([released, sleep(1500)]).catch(() => {});
  held.heal();
  const placed = await placing;
  expect(placed.kind === 'ok', `placing was answered ${placed.kind}`);
}

async function placedId(
  database: ScenarioContext['cluster']['ordersDatabase'],
  requestId: string,
): Promise<string> {
  for (let attempt = 0; attempt < 500; attempt++) {
    const { rows } = await database.query<{ id: string }>('SELECT id FROM orders WHERE request_id = $1', [
      requestId,
    ]);
    if (rows[0]) return rows[0].id;
    await sleep(10);
  }
  throw new Error(`request ${requestId} has no order`);
}

/** Longer than a settler's lease of 2 to 3 s. */
const beyondLeaseMs = 3500;

async function pauseSettler({ cluster, random, round }: ScenarioContext): Promise<void> {
  const victim = random.pick(cluster.orders);
  const points = [
    { phase: 'response', statement: 'lease-due-orders', tag: /^UPDATE [1-9]/ },
    { phase: 'request', statement: 'mark-undone' },
  ] as const;
  await catchStatement(victim.statements, {
    ...(points[round % points.length] ?? points[0]),
    act: ({ forward }) => {
      victim.pause();
      forward();
    },
  });
  await sleep(beyondLeaseMs);
  victim.resume();
  await sleep(200);
}

/** Cancels orders and then repeats their reserves. */
async function deliverAgain({ cluster, purchase, customers, expect }: ScenarioContext): Promise<void> {
  const token = await cluster.token('orders', ['inventory:reserve']);
  using inventory = createClient(InventoryService, {
    target: cluster.inventoryTarget,
    token: () => token,
  });
  const orders = await Promise.all(
    Array.from({ length: 10 }, async () => {
      const order = purchase({ a: 1, c: 2 });
      const placed = await customers.place(order);
      if (placed.kind !== 'ok') throw new Error(`placing was answered ${placed.kind}`);
      await customers.cancel(order, placed.orderId);
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
  expect(reserved === 0, `${reserved} of ${late.length} old reserves succeeded`);
}
