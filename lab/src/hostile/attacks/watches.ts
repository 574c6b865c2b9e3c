import { setTimeout as sleep } from 'node:timers/promises';
import { OrderService } from '@acme/gen/orders/v1/order_service_pb';
import { methodPath } from '@acme/rpc/contract';
import type { Attack, AttackContext } from '../attack/attack.ts';
import { forDuration, inTurn, many } from '../attack/loops.ts';
import { makeOrderHistory } from '../attack/order-history.ts';
import { connectGrpc, requestOf } from '../wire/grpc-calls.ts';

const { watchOrders } = OrderService.method;

/** Watches of a customer with a long history. */
export const watches: readonly Attack[] = [
  {
    name: 'stalled-watches',
    sends: '1,000 resumed watches at a flow-control window of 0, over 200 orders of 1,000 lines',
    prepare: async (setup) => [await makeOrderHistory(setup, { orders: 200, linesPerOrder: 1000 })],
    run: stallWatches,
  },
  {
    name: 'watch-resumes',
    sends: '30 watches that are resumed again and again from before 40,000 events',
    prepare: async (setup) => [await makeOrderHistory(setup, { orders: 20_000, linesPerOrder: 10 })],
    run: resumeAgainAndAgain,
  },
];

async function stallWatches({ port, token, prepared, isShort }: AttackContext): Promise<void> {
  const [resumeToken = ''] = prepared;
  const connections = many(4, () => connectGrpc(port, { initialWindowBytes: 0 }));
  const body = requestOf(watchOrders, { resumeToken });
  for (let index = 0; index < (isShort ? 500 : 1000); index++) {
    inTurn(connections, index).call(methodPath(watchOrders), body, { token });
    if (index % 10 === 0) await sleep(10);
  }
  await sleep(isShort ? 3000 : 6000);
}

async function resumeAgainAndAgain({ port, token, prepared, isShort, note }: AttackContext): Promise<void> {
  const [resumeToken = ''] = prepared;
  const connections = many(4, () => connectGrpc(port));
  const body = requestOf(watchOrders, { resumeToken });
  let received = 0;
  const started = await forDuration(isShort ? 6000 : 20_000, 30, async (index) => {
    const { stream, answered } = inTurn(connections, index).call(methodPath(watchOrders), body, { token });
    stream?.on('data', (chunk: Buffer) => {
      received += chunk.length;
    });
    await Promise.race([answered, sleep(3000)]);
    stream?.close(8);
    // Rejected watches are retried at the pace of a client, not of a loop.
    await sleep(100);
  });
  note(`${started} watches resumed, ${Math.round(received / 1024)} KiB received`);
}
