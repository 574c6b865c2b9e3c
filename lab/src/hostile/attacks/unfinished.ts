import { setTimeout as sleep } from 'node:timers/promises';
import { InventoryService } from '@acme/gen/inventory/v1/inventory_service_pb';
import { OrderService } from '@acme/gen/orders/v1/order_service_pb';
import { methodPath } from '@acme/rpc/contract';
import type { DescMethod } from '@bufbuild/protobuf';
import type { Attack, AttackContext } from '../attack/attack.ts';
import { inTurn, many } from '../attack/loops.ts';
import { frame, frameFlag, frameType, headerFrames } from '../wire/frames.ts';
import { connectGrpc, type OpenCall } from '../wire/grpc-calls.ts';
import { requestFields } from '../wire/hpack.ts';
import { connectRaw } from '../wire/raw-connection.ts';

const messageBytes = 1024 * 1024;
/** The frame of a message of 1 MiB, less its last byte. */
const unfinished = Buffer.alloc(5 + messageBytes - 1, 'u');
unfinished.writeUInt8(0, 0);
unfinished.writeUInt32BE(messageBytes, 1);
const writeTimeoutMs = 8000;
const holdMs = 2000;
const oneByteFrames = 60_000;

/** Requests that are buffered and never complete. */
export const unfinishedRequests: readonly Attack[] = [
  {
    name: 'unfinished-requests',
    sends: '500 requests without a token, of 1 MiB less a byte, never finished',
    run: (context) => leaveUnfinished(context, OrderService.method.placeOrder, undefined),
  },
  {
    name: 'unfinished-with-token',
    sends: 'the same, with the token of a customer',
    run: (context) => leaveUnfinished(context, OrderService.method.placeOrder, context.token),
  },
  {
    name: 'unfinished-streams',
    sends: 'the same on client streams, with the token of a warehouse',
    service: 'inventory',
    run: (context) => leaveUnfinished(context, InventoryService.method.importStock, context.token),
  },
  {
    name: 'one-byte-frames',
    sends:
      '100 connections with a token, each with a message of 1 MiB that begins with 60,000 frames of one byte',
    run: sendOneByteFrames,
  },
  {
    name: 'slow-senders',
    sends: '500 requests without a token and 100 with one, each sending 200 bytes a second',
    run: sendSlowly,
  },
];

async function leaveUnfinished(
  context: AttackContext,
  method: DescMethod,
  token: string | undefined,
): Promise<void> {
  const count = context.isShort ? 350 : 500;
  const connections = many(10, () => connectGrpc(context.port));
  const written = many(count, (index) => {
    const open = inTurn(connections, index).call(methodPath(method), Buffer.alloc(0), { token, ends: false });
    return writtenOrEnded(open, unfinished);
  });
  await Promise.race([Promise.all(written), sleep(writeTimeoutMs)]);
  await sleep(holdMs);
}

/** Resolves when the bytes have left this process, or the call has ended. */
function writtenOrEnded({ stream, answered }: OpenCall, bytes: Buffer): Promise<unknown> {
  if (!stream) return Promise.resolve();
  return Promise.race([new Promise<void>((resolve) => stream.write(bytes, () => resolve())), answered]);
}

/** Each frame would be an object of its own. HTTP/2's window permits 64 KiB before the server has read any. */
async function sendOneByteFrames({ port, token }: AttackContext): Promise<void> {
  const headers = { authorization: `Bearer ${token}` };
  const head = headerFrames(1, requestFields(methodPath(OrderService.method.placeOrder), headers));
  const prefix = frame(frameType.data, frameFlag.none, 1, unfinished.subarray(0, 5));
  const byte = frame(frameType.data, frameFlag.none, 1, Buffer.from('u'));
  const bytes = Buffer.concat([head, prefix, ...many(oneByteFrames, () => byte)]);
  await Promise.all(
    many(100, async () => {
      const connection = await connectRaw(port);
      await connection.write(bytes);
    }),
  );
  await sleep(holdMs);
}

async function sendSlowly({ port, token, isShort }: AttackContext): Promise<void> {
  const connections = many(6, () => connectGrpc(port));
  const calls = many(600, (index) =>
    inTurn(connections, index).call(methodPath(OrderService.method.placeOrder), unfinished.subarray(0, 5), {
      token: index < 100 ? token : undefined,
      ends: false,
    }),
  );
  for (let tick = 0; tick < (isShort ? 8 : 40); tick++) {
    for (const { stream } of calls)
      if (stream && !stream.destroyed && !stream.closed) stream.write('u'.repeat(50));
    await sleep(250);
  }
}
