import { setTimeout as sleep } from 'node:timers/promises';
import { OrderService } from '@acme/gen/orders/v1/order_service_pb';
import { createClient } from '@acme/rpc/client/create-client';
import { codeName, RpcError } from '@acme/rpc/errors/rpc-error';
import type { Replica } from '../../cluster/replica.ts';
import { expectRecovery } from './recovery.ts';
import type { Row, Stage } from './scenario.ts';

const hourMs = 60 * 60 * 1000;

/** Clocks that are wrong. */
export const clock: readonly Row[] = [
  {
    name: 'clock-jumps',
    fault:
      'the clock of a replica jumps by an hour, ahead and back: tokens are judged by it, and nothing settled by it',
    rounds: { short: 2, long: 20 },
    rig: { preload: new URL('./shifted-clock.ts', import.meta.url).href },
    round: jump,
  },
];

async function jump(stage: Stage): Promise<void> {
  const { rig, random, round, expect } = stage;
  const victim = random.pick(rig.orders);
  const isAhead = round % 2 === 0;
  victim.shiftClock(isAhead ? hourMs : -hourMs);
  const others = random.chance(0.5) ? rig.inventory : [];
  for (const other of others) other.shiftClock(isAhead ? -hourMs : hourMs);
  await sleep(500);
  const wrong = await codeOfACall(stage, victim);
  const wanted = isAhead ? 'UNAUTHENTICATED' : 'NOT_FOUND';
  expect(
    wrong === wanted,
    `a token of ten minutes was answered ${wrong}, not ${wanted}, with ${isAhead ? '+' : '-'}1 h`,
  );
  await expectRecovery(stage, 3000);
  for (const each of [victim, ...others]) each.shiftClock(0);
  await sleep(200);
  const right = await codeOfACall(stage, victim);
  expect(right === 'NOT_FOUND', `a token of ten minutes was answered ${right} by the right clock`);
}

/** What a caller with a token of ten minutes is told, about an order that does not exist. */
async function codeOfACall({ rig }: Stage, { front }: Replica): Promise<string> {
  const token = await rig.token('somebody', ['orders:read'], 600);
  using orders = createClient(OrderService, { target: front.target, token: () => token });
  const answer = await orders
    .getOrder({ id: crypto.randomUUID() }, { deadlineMs: 5000 })
    .catch((error) => error);
  return answer instanceof RpcError ? codeName(answer.code) : 'OK';
}
