import type { EventEmitter } from 'node:events';

/**
 * Resolves when the emitter emits one of the events, or rejects with the signal's reason if it aborts first.
 *
 * Unlike `events.once` it takes several events. Unlike `Promise.race` it leaves no listener or pending reaction behind,
 * however many messages a stream carries.
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
