import { setTimeout as sleep } from 'node:timers/promises';
import type { Part, PartState, TroubleRequest } from '../../api.ts';
import { HttpError } from '../http/http-error.ts';
import type { Breakable, Breaking } from './breakable.ts';

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
  let isTroubled = false;
  let undoAtMs: number | null = null;
  let timer: NodeJS.Timeout | undefined;
  /** Why the last action failed. */
  let problem: string | null = null;
  /** The actions in progress. The next one waits for them. */
  let acting: Promise<unknown> = Promise.resolve();
  let inProgress = 0;
  let begun = 0;
  /** Number of beginnings and ends of actions. */
  let generation = 0;

  const calm = () => {
    clearTimeout(timer);
    isTroubled = false;
    undoAtMs = null;
  };
  const observe = async () => {
    const observedIn = generation;
    const now = await part.observe();
    // An answer from before the last action says nothing of the part after it.
    if (observedIn !== generation || now === state) return;
    state = now;
    sinceMs = Date.now();
    // A restart by other means than the console ends the trouble too.
    if (state === 'up' && inProgress === 0) calm();
    onChange();
  };
  const watch = async () => {
    while (!ended.signal.aborted) {
      await observe();
      await sleep(observeMs, undefined, { signal: ended.signal }).catch(() => {});
    }
  };
  const watching = watch();

  /** Runs an action, and `onFailed` if it fails as the last one that has begun. */
  const act = async (action: () => Promise<void>, onFailed: () => void) => {
    if (ended.signal.aborted) throw new HttpError(503, 'the services stop');
    const number = ++begun;
    generation++;
    inProgress++;
    let failure: unknown;
    try {
      await action();
    } catch (error) {
      failure = error ?? new Error('the action failed');
    }
    generation++;
    inProgress--;
    await observe();
    // An action that a later one has interrupted fails by it.
    if (number === begun) {
      problem = failure === undefined ? null : errorText(failure);
      if (failure !== undefined) onFailed();
    }
    onChange();
    if (failure !== undefined) throw failure;
  };
  const run = (action: () => Promise<void>, { waits = true, onFailed = () => {} } = {}): Promise<void> => {
    const done = waits ? acting.then(() => act(action, onFailed)) : act(action, onFailed);
    acting = Promise.allSettled([acting, done]);
    return done;
  };
  const undo = () => {
    calm();
    return run(() => {
      // Of an action for which this one has waited.
      calm();
      return part.undo();
    });
  };
  const trouble = (forMs: number | null) => {
    calm();
    isTroubled = true;
    if (forMs === null) return;
    undoAtMs = Date.now() + forMs;
    timer = setTimeout(() => undo().catch(() => {}), forMs);
  };
  const breakPart = (action: Breaking, forMs: number | null, delayMs: number) => {
    let before = { state, isTroubled };
    return run(
      () => {
        before = { state, isTroubled };
        if (action === 'restart') calm();
        else trouble(forMs);
        return part.act(action, { delayMs });
      },
      {
        // It interrupts a start, and a stop that takes too long.
        waits: action !== 'kill',
        onFailed: () => {
          if (state === 'up' || (state === before.state && !before.isTroubled)) calm();
        },
      },
    );
  };
  return {
    get part() {
      const { id, kind, name, commands } = part;
      return {
        id,
        kind,
        name,
        state,
        sinceMs,
        actions: [...part.possible(state), ...(isTroubled ? (['undo'] as const) : [])],
        undoAtMs,
        problem,
        ...(part.breakers && { breakers: state === 'down' ? {} : part.breakers() }),
        ...(commands && { commands }),
      };
    },
    apply: async ({ action, forMs, delayMs = defaultDelayMs }) => {
      if (action === 'undo') return undo();
      if (!part.possible(state).includes(action))
        throw new HttpError(409, `${part.name} is ${state}: it cannot ${action} now`);
      return breakPart(action, forMs, delayMs);
    },
    [Symbol.asyncDispose]: async () => {
      ended.abort();
      calm();
      part.release();
      await watching;
    },
  };
}

function errorText(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
