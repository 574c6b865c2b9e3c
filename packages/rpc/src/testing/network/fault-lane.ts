import type { Socket } from 'node:net';

/** Faults of one direction, which can be combined. */
export interface Faults {
  /** Passes and reads nothing: bytes accumulate at the sender until it blocks. */
  readonly blackHole?: boolean;
  /** Reads and discards bytes. The connection stays open. */
  readonly drop?: boolean;
  /** Delay of bytes, plus or minus `jitterMs`. Their order does not change. */
  readonly delayMs?: number;
  readonly jitterMs?: number;
  /** Maximum number of bytes per second. */
  readonly bytesPerSecond?: number;
  /** Writes bytes one by one. */
  readonly slice?: boolean;
  /** Number of bytes per connection, from the injection on, after which the end is sent and further bytes are dropped. */
  readonly cutAfterBytes?: number;
  /** Number of bytes per connection after which both sides are reset. With 0 the next byte causes the reset. */
  readonly resetAfterBytes?: number;
}

/** One direction of a connection. */
export interface Lane {
  /** Applies changed faults. */
  wake(): void;
}

export interface LaneOptions {
  readonly faults: () => Faults;
  readonly random: () => number;
  /** Resets the connection. */
  readonly sever: () => void;
  readonly onPassed: (bytes: number) => void;
  readonly onDropped: (bytes: number) => void;
}

interface Chunk {
  bytes: Buffer;
  readonly arrivedMs: number;
  /** Share of the jitter, from -1 to 1. */
  readonly jitter: number;
}

/** Buffer limits of a lane. Delayed bytes have a higher one, because the buffer limits the throughput of the delay. */
const maxHeldBytes = 64 * 1024;
const maxDelayedBytes = 1024 * 1024;
/** Interval between two pieces of a throttled lane. */
const throttleStepMs = 20;

/** Carries bytes from one socket to the other, through the faults. */
export function createLane(from: Socket, to: Socket, options: LaneOptions): Lane {
  const held: Chunk[] = [];
  let heldBytes = 0;
  let faults = options.faults();
  let bytesLeft = allowance(faults);
  let throttledUntilMs = 0;
  let isEnded = false;
  let isWriting = false;
  let timer: NodeJS.Timeout | undefined;

  const fill = () => {
    const room = faults.delayMs ? maxDelayedBytes : maxHeldBytes;
    while (heldBytes < room) {
      const bytes: Buffer | null = from.read();
      if (bytes === null) return;
      heldBytes += bytes.length;
      held.push({ bytes, arrivedMs: performance.now(), jitter: options.random() * 2 - 1 });
    }
  };
  const take = (chunk: Chunk, size: number) => {
    const piece = chunk.bytes.subarray(0, size);
    chunk.bytes = chunk.bytes.subarray(size);
    heldBytes -= piece.length;
    if (chunk.bytes.length === 0) held.shift();
    return piece;
  };
  /** Carries the bytes that are due. One write at a time, so that a receiver that does not read blocks the sender. */
  const carry = () => {
    clearTimeout(timer);
    for (;;) {
      fill();
      if (isWriting || faults.blackHole || to.destroyed) return;
      const chunk = held[0];
      if (!chunk) {
        if (isEnded) to.end();
        return;
      }
      const waitMs = Math.max(chunk.arrivedMs + delayOf(chunk, faults), throttledUntilMs) - performance.now();
      if (waitMs > 0) {
        timer = setTimeout(carry, waitMs);
        return;
      }
      if (bytesLeft > 0 && !faults.drop && !to.writableEnded)
        return pass(take(chunk, Math.min(pieceOf(faults), bytesLeft)));
      if (bytesLeft === 0 && faults.resetAfterBytes !== undefined) return options.sever();
      if (bytesLeft === 0) to.end();
      options.onDropped(take(chunk, chunk.bytes.length).length);
    }
  };
  const pass = (piece: Buffer) => {
    bytesLeft -= piece.length;
    options.onPassed(piece.length);
    if (faults.bytesPerSecond)
      throttledUntilMs = performance.now() + (piece.length / faults.bytesPerSecond) * 1000;
    isWriting = true;
    // Without a turn of the event loop between two slices they would leave together.
    to.write(piece, () => (faults.slice ? setImmediate(written) : written()));
  };
  const written = () => {
    isWriting = false;
    carry();
  };
  from.on('readable', carry);
  from.on('end', () => {
    isEnded = true;
    carry();
  });
  from.on('close', () => {
    if (!isEnded) clearTimeout(timer);
  });
  return {
    wake: () => {
      faults = options.faults();
      bytesLeft = allowance(faults);
      throttledUntilMs = 0;
      carry();
    },
  };
}

function allowance({ cutAfterBytes = Infinity, resetAfterBytes = Infinity }: Faults): number {
  return Math.min(cutAfterBytes, resetAfterBytes);
}

function delayOf({ jitter }: Chunk, { delayMs = 0, jitterMs = 0 }: Faults): number {
  return delayMs + jitter * jitterMs;
}

function pieceOf({ slice, bytesPerSecond }: Faults): number {
  if (slice) return 1;
  return bytesPerSecond ? Math.max(1, Math.floor((bytesPerSecond * throttleStepMs) / 1000)) : Infinity;
}
