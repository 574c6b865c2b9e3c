import { Code, RpcError } from '@acme/rpc/errors';
import type { Random } from '../harness/seeded-random.ts';
import type { VirtualTime } from './virtual-time.ts';

/** A process of a cell. A crash ends what it was doing: nothing that it has awaited is answered. */
export interface Process {
  isUp: boolean;
  /** Number of crashes. */
  crashes: number;
}

export interface CallOptions<T> {
  readonly from: Process;
  readonly to: Process;
  readonly deadlineMs: number;
  /** Serves the request in the process `to`, once for each copy that arrives. */
  readonly serve: () => Promise<T>;
}

/** Calls and statements that take time, and are lost, delayed, duplicated and overtaken until the faults end. */
export interface Network {
  call<T>(options: CallOptions<T>): Promise<T>;
  /**
   * Runs a transaction in the database of a process. It may be committed although the process has crashed or does not
   * receive the outcome.
   */
  transaction<T>(process: Process, run: () => T): Promise<T>;
  /** Number of messages that have not arrived. */
  inTransit(): number;
  /** Number of messages that were lost or duplicated. */
  disturbed(): number;
  endFaults(): void;
}

const delaysMs = { usual: [1, 20], delayed: [20, 8000] } as const;

export function createNetwork(time: VirtualTime, random: Random): Network {
  let isFaulty = true;
  let inTransit = 0;
  let disturbed = 0;
  const happens = (probability: number) => isFaulty && random.chance(probability);
  const delayMs = () => {
    const [minMs, maxMs] = happens(0.1) ? delaysMs.delayed : delaysMs.usual;
    return random.int(minMs, maxMs);
  };
  /** Sends a message that arrives once, twice or never. */
  const send = (arrive: () => unknown) => {
    const copies = happens(0.08) ? 0 : happens(0.08) ? 2 : 1;
    if (copies !== 1) disturbed++;
    for (let copy = 0; copy < copies; copy++) {
      inTransit++;
      time.after(delayMs(), () => {
        inTransit--;
        return arrive();
      });
    }
  };
  /** Returns a function that runs an event unless the process has crashed since, or an earlier event has been run. */
  const once = (process: Process) => {
    const { crashes } = process;
    let isOver = false;
    return (event: () => void) => {
      if (isOver || process.crashes !== crashes) return false;
      isOver = true;
      event();
      return true;
    };
  };
  return {
    inTransit: () => inTransit,
    disturbed: () => disturbed,
    endFaults: () => {
      isFaulty = false;
    },
    call: ({ from, to, deadlineMs, serve }) =>
      new Promise((resolve, reject) => {
        const end = once(from);
        send(() => {
          if (!to.isUp) return send(() => end(() => reject(new RpcError(Code.UNAVAILABLE, 'refused'))));
          const reply = once(to);
          serve().then(
            (value) => reply(() => send(() => end(() => resolve(value)))),
            (error) => reply(() => send(() => end(() => reject(error)))),
          );
        });
        time.after(deadlineMs, () => end(() => reject(new RpcError(Code.DEADLINE_EXCEEDED, 'no answer'))));
      }),
    transaction: (process, run) =>
      new Promise((resolve, reject) => {
        const sent = once(process);
        const end = once(process);
        time.after(delayMs(), () => {
          // The statement of a crashed process may have been sent before the crash.
          if (!sent(() => {}) && random.chance(0.5)) return false;
          const outcome = outcomeOf(run);
          const isReplyLost = happens(0.03);
          time.after(delayMs(), () =>
            end(() => {
              if (isReplyLost) reject(new Error('the connection was lost during COMMIT'));
              else if ('error' in outcome) reject(outcome.error);
              else resolve(outcome.value);
            }),
          );
          return true;
        });
      }),
  };
}

function outcomeOf<T>(run: () => T): { readonly value: T } | { readonly error: unknown } {
  try {
    return { value: run() };
  } catch (error) {
    return { error };
  }
}
