import type { FeedEvent } from './feed-source.ts';

/** Maximum buffered for one watcher before its watch ends: number of events, and their approximate bytes. */
export const bufferLimits = { events: 256, sizeBytes: 64 * 1024 };

/** The watcher's side: its buffer of live events. Disposing it unsubscribes. */
export interface Subscription<Event> extends Disposable {
  /** Returns the next buffered event. Throws `BufferFullError`, or the error that the feed failed with. */
  take(): FeedEvent<Event> | undefined;
  /** Resolves to whether there is something to take, after at most `timeoutMs`. Rejects with the signal's reason. */
  wait(timeoutMs: number, signal: AbortSignal): Promise<boolean>;
}

/** The watcher reads more slowly than things change. Its buffer was dropped; it can resume after the last event taken. */
export class BufferFullError extends Error {
  override name = 'BufferFullError';
}

/** The feed's side of a subscription. */
export interface Subscriber<Event> {
  push(event: FeedEvent<Event>): void;
  fail(error: unknown): void;
  /** Fails with `BufferFullError`. */
  overflow(): void;
  /** Empties the buffer. */
  clear(): void;
  /** Size of the buffered events, in bytes. */
  sizeBytes(): number;
}

export function createSubscription<Event>(options: {
  /** Events up to this number are ignored. */
  readonly after: bigint;
  /** Called with each event that enters the buffer. */
  readonly onBuffered: (event: FeedEvent<Event>) => void;
  /** Called with each event that leaves the buffer, taken or dropped. */
  readonly onRemoved: (event: FeedEvent<Event>) => void;
}) {
  const { after, onBuffered, onRemoved } = options;
  let events: FeedEvent<Event>[] = [];
  let sizeBytes = 0;
  let failure: unknown;
  let wake: (() => void) | undefined;

  const clear = () => {
    for (const event of events) onRemoved(event);
    events = [];
    sizeBytes = 0;
  };
  const fail = (error: unknown) => {
    failure ??= error;
    clear();
    wake?.();
  };
  const overflow = () => fail(new BufferFullError('the watcher reads more slowly than events arrive'));
  const push = (event: FeedEvent<Event>) => {
    if (failure !== undefined || event.position.seq <= after) return;
    sizeBytes += event.sizeBytes;
    events.push(event);
    onBuffered(event);
    // A single event is accepted whatever its size, because a fast watcher takes it at once.
    const isFull = events.length > bufferLimits.events || sizeBytes > bufferLimits.sizeBytes;
    if (isFull && events.length > 1) overflow();
    else wake?.();
  };
  const take = () => {
    if (failure !== undefined) throw failure;
    const event = events.shift();
    if (!event) return undefined;
    sizeBytes -= event.sizeBytes;
    onRemoved(event);
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
