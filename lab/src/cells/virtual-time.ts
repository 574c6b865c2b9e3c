import { setImmediate as nextTurn } from 'node:timers/promises';

/** Returns false if it has changed nothing: the call that it would have ended has ended before. */
export type Event = () => unknown;

/** A clock that jumps from event to event, so that an hour takes no time and every run is repeatable. */
export interface VirtualTime {
  nowMs(): number;
  /** Runs an event after a delay. Events of one time run in the order in which they were added. */
  after(delayMs: number, event: Event): void;
  /** Runs the events in order, until none is left or `isOver` returns true. It is called after each event. */
  run(isOver: () => boolean): Promise<void>;
}

export function startVirtualTime(): VirtualTime {
  const events: { readonly atMs: number; readonly event: Event }[] = [];
  let nowMs = 0;
  return {
    nowMs: () => nowMs,
    after: (delayMs, event) => {
      const atMs = nowMs + delayMs;
      const earlier = events.findLastIndex((other) => other.atMs <= atMs);
      events.splice(earlier + 1, 0, { atMs, event });
    },
    run: async (isOver) => {
      for (let next = events.shift(); next; next = events.shift()) {
        nowMs = next.atMs;
        if (next.event() === false) continue;
        // What awaits the event continues, and a batch of calls starts at the end of a turn of the event loop.
        await nextTurn();
        await nextTurn();
        if (isOver()) return;
      }
    },
  };
}
