import { setTimeout as sleep } from 'node:timers/promises';
import type { Part, PartState, TroubleRequest } from '../../api.ts';
import { HttpError } from '../http/http-error.ts';
import { createActionQueue, type QueuedAction } from './action-queue.ts';
import type { Breakable, Breaking } from './breakable.ts';
import { createUndoTimer } from './undo-timer.ts';

/** A part that is observed every second, and does one action after the other. */
export interface WatchedPart extends AsyncDisposable {
  /** The part as it was last observed. */
  readonly part: Part;
  /**
   * Resolves when it is done.
   *
   * @throws HttpError 409 for an action that is not possible now, 503 at the end.
   */
  apply(request: Omit<TroubleRequest, 'part'>): Promise<void>;
}

const observeMs = 1000;
const defaultDelayMs = 200;

/** @param onChange Called when the part has changed. */
export function watchPart(part: Breakable, onChange: () => void): WatchedPart {
  const ended = new AbortController();
  let state: PartState = 'up';
  let sinceMs = Date.now();

  const observe = async () => {
    const { generation } = queue;
    const now = await part.observe();
    // An answer from before the last action says nothing of the part after it.
    if (generation !== queue.generation || now === state) return;
    state = now;
    sinceMs = Date.now();
    // A restart by other means than the console ends the trouble too.
    if (state === 'up' && !queue.isActing) trouble.end();
    onChange();
  };
  const queue = createActionQueue(observe);
  const run = ({ begin, ...options }: QueuedAction) => {
    const beginUnlessEnded = async () => {
      if (ended.signal.aborted) throw new HttpError(503, 'the services stop');
      await begin();
    };
    return queue.run({ ...options, begin: beginUnlessEnded }).finally(onChange);
  };
  const undo = () => {
    trouble.end();
    const begin = () => {
      // Of an action for which this one has waited.
      trouble.end();
      return part.undo();
    };
    return run({ begin });
  };
  const trouble = createUndoTimer(() => undo().catch(() => {}));
  const breakPart = (action: Breaking, forMs: number | null, delayMs: number) => {
    let before = { state, isTroubled: trouble.isTroubled };
    return run({
      // It interrupts a start, and a stop that takes too long.
      waits: action !== 'kill',
      begin: () => {
        before = { state, isTroubled: trouble.isTroubled };
        if (action === 'restart') trouble.end();
        else trouble.begin(forMs);
        return part.act(action, { delayMs });
      },
      onFailed: () => {
        if (state === 'up' || (state === before.state && !before.isTroubled)) trouble.end();
      },
    });
  };
  const watch = async () => {
    while (!ended.signal.aborted) {
      await observe();
      await sleep(observeMs, undefined, { signal: ended.signal }).catch(() => {});
    }
  };
  const watching = watch();
  return {
    get part() {
      return toPart(part, {
        state,
        sinceMs,
        isTroubled: trouble.isTroubled,
        undoAtMs: trouble.undoAtMs,
        problem: queue.problem,
      });
    },
    apply: async ({ action, forMs, delayMs = defaultDelayMs }) => {
      if (action === 'undo') return undo();
      if (!part.possible(state).includes(action))
        throw new HttpError(409, `${part.name} is ${state}: it cannot ${action} now`);
      return breakPart(action, forMs, delayMs);
    },
    [Symbol.asyncDispose]: async () => {
      ended.abort();
      trouble.end();
      part.release();
      await watching;
    },
  };
}

interface Known extends Pick<Part, 'state' | 'sinceMs' | 'undoAtMs' | 'problem'> {
  readonly isTroubled: boolean;
}

function toPart(part: Breakable, { isTroubled, ...known }: Known): Part {
  const { id, kind, name, commands } = part;
  return {
    id,
    kind,
    name,
    ...known,
    actions: [...part.possible(known.state), ...(isTroubled ? (['undo'] as const) : [])],
    // The last report of a service that is down says nothing of it.
    ...(part.breakers && { breakers: known.state === 'down' ? {} : part.breakers() }),
    ...(commands && { commands }),
  };
}
