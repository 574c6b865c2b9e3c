import { setTimeout as sleep } from 'node:timers/promises';
import { OrderService } from '@acme/gen/orders/v1/order_service_pb';
import { createClient } from '@acme/rpc/client';
import { codeName, RpcError } from '@acme/rpc/errors';
import type { Replica } from '../../cluster/replica.ts';
import { expectOrderWithin } from './expectations.ts';
import type { Scenario, ScenarioContext } from './scenario.ts';

const hourMs = 60 * 60 * 1000;

/** Clocks that jump. */
export const clock: readonly Scenario[] = [
  {
    name: 'clock-jumps',
    fault:
      'the clock of a replica jumps an hour forward or back: tokens expire by it, settlement does not depend on it',
    rounds: { short: 2, long: 20 },
    cluster: { preload: new URL('./shifted-clock.ts', import.meta.url).href },
    round: jump,
  },
];

async function jump(context: ScenarioContext): Promise<void> {
  const { cluster, random, round, expect } = context;
  const victim = random.pick(cluster.orders);
  const isAhead = round % 2 === 0;
  victim.shiftClock(isAhead ? hourMs : -hourMs);
  const others = random.chance(0.5) ? cluster.inventory : [];
  for (const other of others) other.shiftClock(isAhead ? -hourMs : hourMs);
  await sleep(500);
  const code = await codeOfCall(context, victim);
  const expected = isAhead ? 'UNAUTHENTICATED' : 'NOT_FOUND';
  expect(
    code === expected,
    `a token of ten minutes was answered ${code}, not ${expected}, with ${isAhead ? '+' : '-'}1 h`,
  );
  await expectOrderWithin(context, 3000);
  for (const each of [victim, ...others]) each.shiftClock(0);
  await sleep(200);
  const codeAfter = await codeOfCall(context, victim);
  expect(
    codeAfter === 'NOT_FOUND',
    `a token of ten minutes was answered ${codeAfter} with the correct clock`,
  );
}

/** Gets a missing order with a token of ten minutes. Returns the name of the status code. */
async function codeOfCall({ cluster }: ScenarioContext, { front }: Replica): Promise<string> {
  const token = await cluster.token('reader', ['orders:read'], 600);
  using orders = createClient(OrderService, { target: front.target, token: () => token });
  const answer = await orders
    .getOrder({ id: crypto.randomUUID() }, { deadlineMs: 5000 })
    .catch((error) => error);
  return answer instanceof RpcError ? codeName(answer.code) : 'OK';
}
