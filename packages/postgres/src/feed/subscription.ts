import type { FeedEvent } from './source.ts';

/** Maximum that waits for a watcher before its watch ends: events, and approximate bytes of them. */
export const bufferLimits = { events: 256, sizeBytes: 64 * 1024 };

/** One watcher's place in the live feed. Disposing gives it up. */
export interface Subscription<Event> extends Disposable {
  /** The next event that has come. Throws what the feed was failed with, and `BufferFullError`. */
  take(): FeedEvent<Event> | undefined;
  /** Resolves with true when there is something to take, with false after this long; rejects with the signal's reason. */
  wait(timeoutMs: number, signal: AbortSignal): Promise<boolean>;
}

/** The watcher reads more slowly than things change. What waited for it is dropped; it can resume after what it has taken. */
export class BufferFullError extends Error {
  override name = 'BufferFullError';
}

/** The feed's side of a subscription. */
export interface Subscriber<Event> {
  push(event: FeedEvent<Event>): void;
  fail(error: unknown): void;
  /** Fails with `BufferFullError`. */
  overflow(): void;
  /** Drops what waits. */
  clear(): void;
  /** Size of what waits. */
  sizeBytes(): number;
}

export function createSubscription<Event>(options: {
  readonly after: bigint;
  /** Called with each event when it begins to wait here, and when it no longer does. */
  readonly onHeld: (event: FeedEvent<Event>) => void;
  readonly onLeft: (event: FeedEvent<Event>) => void;
}) {
  const { after, onHeld, onLeft } = options;
  let events: FeedEvent<Event>[] = [];
  let sizeBytes = 0;
  let failure: unknown;
  let wake: (() => void) | undefined;

  const clear = () => {
    for (const event of events) onLeft(event);
    events = [];
    sizeBytes = 0;
  };
  const fail = (error: unknown) => {
    failure ??= error;
    clear();
    wake?.();
  };
  const overflow = () => fail(new BufferFullError('more has changed than the watcher reads'));
  const push = (event: FeedEvent<Event>) => {
    if (failure !== undefined || event.place.seq <= after) return;
    sizeBytes += event.sizeBytes;
    events.push(event);
    onHeld(event);
    // One event is taken however large it is: its watcher may well be quick.
    const isFull = events.length > bufferLimits.events || sizeBytes > bufferLimits.sizeBytes;
    if (isFull && events.length > 1) overflow();
    else wake?.();
  };
  const take = () => {
    if (failure !== undefined) throw failure;
    const event = events.shift();
    if (!event) return undefined;
    sizeBytes -= event.sizeBytes;
    onLeft(event);
    return event;
  };
  const wait = (timeoutMs: number, signal: AbortSignal) =>
    new Promise<boolean>((resolve, reject) => {
      if (signal.aborted) return reject(signal.reason);
      const settle = (finish: () => void) => {
        wake = undefined;
        clearTimeout(timer);
        signal.removeEventListener('abort', onAbort);
        finish();
      };
      const onAbort = () => settle(() => reject(signal.reason));
      wake = () => settle(() => resolve(true));
      const timer = setTimeout(() => settle(() => resolve(false)), timeoutMs);
      signal.addEventListener('abort', onAbort);
      if (events.length > 0 || failure !== undefined) wake();
    });
  const subscriber: Subscriber<Event> = { push, fail, overflow, clear, sizeBytes: () => sizeBytes };
  return { subscriber, subscription: { take, wait } };
}
