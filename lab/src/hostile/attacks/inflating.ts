import { setTimeout as sleep } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { InventoryService } from '@acme/gen/inventory/v1/inventory_service_pb';
import { OrderService } from '@acme/gen/orders/v1/order_service_pb';
import { methodPath } from '@acme/rpc/contract';
import { grpcFrame } from '@acme/rpc/testing';
import type { Attack, AttackContext } from '../attack/attack.ts';
import { inParallel, inTurn, many } from '../attack/loops.ts';
import { answerWithin, connectGrpc } from '../wire/grpc-calls.ts';

const inflatedBytes = 1024 * 1024 - 16;
/** A message of 1 kB that inflates to 1 MiB: `customer_id` of PlaceOrderRequest, of one repeated letter. */
const bomb = grpcFrame(gzipSync(longCustomerId(inflatedBytes)), { compressed: true });
const gzip = { 'grpc-encoding': 'gzip' };
const connectionCount = 10;
const callTimeoutMs = 20_000;
const messagesPerStream = 20;
const holdMs = 3000;

/** Messages that are small on the wire and large in memory. */
export const inflating: readonly Attack[] = [
  {
    name: 'inflate-before-auth',
    sends: 'unary calls without a token, each 1 kB of gzip that inflates to 1 MiB',
    run: (context) => placeBombs(context, undefined),
  },
  {
    name: 'inflate-with-token',
    sends: 'the same, with the token of a customer',
    run: (context) => placeBombs(context, context.token),
  },
  {
    name: 'inflate-streams',
    sends: 'streams of a warehouse and without a token, 20 messages of 1 kB that inflate to 1 MiB on each',
    service: 'inventory',
    run: streamBombs,
  },
];

async function placeBombs({ port, isShort }: AttackContext, token: string | undefined): Promise<void> {
  const count = isShort ? 600 : 1000;
  const connections = many(connectionCount, () => connectGrpc(port));
  const path = methodPath(OrderService.method.placeOrder);
  await inParallel(count, count, (index) =>
    answerWithin(inTurn(connections, index).call(path, bomb, { token, headers: gzip }), callTimeoutMs),
  );
}

/** The server may send nothing on these streams, so that CountStock reads no more messages. */
async function streamBombs({ port, isShort, token }: AttackContext): Promise<void> {
  const count = isShort ? 200 : 400;
  const connections = many(connectionCount, () => connectGrpc(port, { initialWindowBytes: 0 }));
  const { importStock, countStock } = InventoryService.method;
  const body = Buffer.concat(many(messagesPerStream, () => bomb));
  for (let index = 0; index < count; index++) {
    const path = methodPath(index % 2 === 0 ? importStock : countStock);
    const sentToken = index % 4 < 2 ? token : undefined;
    inTurn(connections, index).call(path, body, { token: sentToken, headers: gzip, ends: false });
  }
  await sleep(holdMs);
}

/** Encodes field 3, a string, in `sizeBytes` bytes. */
function longCustomerId(sizeBytes: number): Buffer {
  const textBytes = sizeBytes - 4;
  const length = [(textBytes & 0x7f) | 0x80, ((textBytes >> 7) & 0x7f) | 0x80, textBytes >> 14];
  return Buffer.concat([Buffer.from([0x1a, ...length]), Buffer.alloc(textBytes, 'a')]);
}
