import type { EventEmitter } from 'node:events';

/**
 * Waits until the emitter has emitted one of the events; rejects with the signal's reason when that comes first.
 *
 * Unlike `events.once` it can wait for several, and unlike a race of promises it leaves no listener and no pending
 * reaction behind, however many messages a stream carries.
 */
export function firstEvent(
  emitter: EventEmitter,
  events: readonly string[],
  signal: AbortSignal,
): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason);
    const onEvent = () => settle(resolve);
    const onAbort = () => settle(() => reject(signal.reason));
    const settle = (finish: () => void) => {
      for (const event of events) emitter.off(event, onEvent);
      signal.removeEventListener('abort', onAbort);
      finish();
    };
    for (const event of events) emitter.on(event, onEvent);
    signal.addEventListener('abort', onAbort);
  });
}
