import type { Socket } from 'node:net';

/** What happens to the bytes of one direction. They can be combined. */
export interface Faults {
  /** Nothing passes, and what is not passed is not read: bytes pile up at the sender until it can send no more. */
  readonly blackHole?: boolean;
  /** Bytes are read and thrown away; the connection stays. */
  readonly drop?: boolean;
  /** Bytes come so much later, give or take `jitterMs`, in their order. */
  readonly delayMs?: number;
  readonly jitterMs?: number;
  /** At most so many bytes a second pass. */
  readonly bytesPerSecond?: number;
  /** Bytes are written one by one. */
  readonly slice?: boolean;
  /** So many bytes pass, of each connection, counted from the injection; then its end is sent on, and the rest is dropped. */
  readonly cutAfterBytes?: number;
  /** So many bytes pass, likewise; then both sides are reset. With 0 the next byte does it. */
  readonly resetAfterBytes?: number;
}

/** One direction of a connection. */
export interface Lane {
  /** Looks at the faults again, which have changed. */
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
  /** From -1 to 1: where in the jitter it lies. */
  readonly jitter: number;
}

/** What a lane may hold: more of delayed bytes, because it is what passes within the delay that makes a line fast. */
const maxHeldBytes = 64 * 1024;
const maxDelayedBytes = 1024 * 1024;
/** A throttled lane passes a piece every so often. */
const throttleStepMs = 20;

/** Carries what comes from one socket to the other, through the faults. */
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
  /** Does what is due: one write at a time, so that whoever does not read holds up whoever writes. */
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
    // A turn of the event loop between two slices, or they would leave together.
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
