import { setTimeout as sleep } from 'node:timers/promises';
import { OrderService } from '@acme/gen/orders/v1/order_service_pb';
import { methodPath } from '@acme/rpc/contract';
import { grpcFrame } from '@acme/rpc/testing';
import type { Attack, AttackContext } from '../attack/attack.ts';
import { inParallel, inTurn, many } from '../attack/loops.ts';
import { frame, frameFlag, frameType, headerFrames, resetFrame, streamIdOf } from '../wire/frames.ts';
import { requestFields } from '../wire/hpack.ts';
import { connectRaw, type RawConnection } from '../wire/raw-connection.ts';

const request = requestFields(methodPath(OrderService.method.listOrders));
const emptyRequest = grpcFrame(Buffer.alloc(0));
const framesPerWrite = 100;
const writePauseMs = 4;
const reconnectPauseMs = 50;

/** Connections and frames that cost their sender nothing. */
export const connections: readonly Attack[] = [
  {
    name: 'idle-connections',
    sends: '5,000 connections that send nothing, a part of the preface, or the preface alone',
    run: leaveIdle,
  },
  {
    name: 'slow-headers',
    sends: '1,000 connections that send a header block byte by byte',
    run: sendHeadersSlowly,
  },
  {
    name: 'frame-floods',
    sends:
      'floods of SETTINGS, PING, PRIORITY, WINDOW_UPDATE, empty DATA, and of streams that are reset at once',
    run: flood,
  },
];

async function leaveIdle({ port, isShort }: AttackContext): Promise<void> {
  await inParallel(isShort ? 3000 : 5000, 10, async (index) => {
    const connection = await connectRaw(port, { greets: index % 3 === 0 });
    if (index % 3 === 1) await connection.write(Buffer.from('PRI * HT'));
    // The kernel would reject a burst beyond the backlog of the listening socket.
    await sleep(10);
  });
  await sleep(2000);
}

async function sendHeadersSlowly({ port, isShort }: AttackContext): Promise<void> {
  const block = headerFrames(1, request);
  const open = await Promise.all(many(isShort ? 500 : 1000, () => connectRaw(port)));
  for (let sent = 0; sent < (isShort ? 20 : 60); sent++) {
    for (const connection of open) await connection.write(block.subarray(sent, sent + 1));
    await sleep(100);
  }
}

/** Each flood lasts for its time and reconnects whenever the replica has closed the connection. */
async function flood({ port, isShort, note }: AttackContext): Promise<void> {
  const emptyData = frame(frameType.data, frameFlag.none, 1);
  const floods: Record<string, (round: number) => Buffer> = {
    SETTINGS: () => repeated(frame(frameType.settings, frameFlag.none, 0)),
    PING: () => repeated(frame(frameType.ping, frameFlag.none, 0, Buffer.alloc(8))),
    PRIORITY: () => repeated(frame(frameType.priority, frameFlag.none, 1, Buffer.from([0, 0, 0, 3, 1]))),
    WINDOW_UPDATE: () =>
      repeated(frame(frameType.windowUpdate, frameFlag.none, 0, Buffer.from([0, 0, 0, 1]))),
    'empty DATA': (round) => (round === 0 ? headerFrames(1, request) : repeated(emptyData)),
    'reset streams': (round) => streams(round, resetFrame),
    'finished streams that are reset': (round) =>
      streams(round, (id) =>
        Buffer.concat([frame(frameType.data, frameFlag.endStream, id, emptyRequest), resetFrame(id)]),
      ),
  };
  for (const [name, bytes] of Object.entries(floods)) {
    const reads = [true, false];
    const counts = await Promise.all(
      many(2, (index) => floodOnce(() => connectRaw(port, { reads: inTurn(reads, index) }), bytes, isShort)),
    );
    note(`${name}: ${counts.reduce((sum, count) => sum + count, 0)}`);
  }
}

async function floodOnce(
  open: () => Promise<RawConnection>,
  bytes: (round: number) => Buffer,
  isShort: boolean,
): Promise<number> {
  const endMs = performance.now() + (isShort ? 600 : 3000);
  let sent = 0;
  while (performance.now() < endMs) {
    using connection = await open();
    for (let round = 0; performance.now() < endMs && !connection.isClosed; round++) {
      await connection.write(bytes(round));
      sent += framesPerWrite;
      // 25,000 frames per second on each connection: a flood, but not a CPU benchmark.
      await sleep(writePauseMs);
    }
    await sleep(reconnectPauseMs);
  }
  return sent;
}

function repeated(bytes: Buffer): Buffer {
  return Buffer.concat(many(framesPerWrite, () => bytes));
}

function streams(round: number, rest: (streamId: number) => Buffer): Buffer {
  return Buffer.concat(
    many(framesPerWrite, (index) => {
      const id = streamIdOf(round * framesPerWrite + index);
      return Buffer.concat([headerFrames(id, request), rest(id)]);
    }),
  );
}
