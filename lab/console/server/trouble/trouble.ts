import { setTimeout as sleep } from 'node:timers/promises';
import type { Part, PartState, TroubleRequest } from '../../api.ts';
import { HttpError } from '../http/http-error.ts';
import type { Breakable } from './breakable.ts';

/** The parts of the system, which break on request and are mended by a timer, on request, or at the end. */
export interface Trouble extends AsyncDisposable {
  /** The parts as they were last observed. */
  readonly parts: readonly Part[];
  /**
   * Resolves when it is done.
   *
   * @throws HttpError 404 for an unknown part, 409 for an action that is not possible now.
   */
  apply(request: TroubleRequest): Promise<void>;
}

/** What is known of one part. */
interface Observed {
  readonly part: Breakable;
  state: PartState;
  sinceMs: number;
  isTroubled: boolean;
  undoAtMs: number | null;
  timer: NodeJS.Timeout | undefined;
  /** Why the last action failed. */
  problem: string | null;
  /** The action in progress. The next one waits for it. */
  acting: Promise<unknown>;
}

const observeMs = 1000;
const defaultDelayMs = 200;

/** @param onChange Called when a part has changed. */
export function startTrouble(breakables: readonly Breakable[], onChange: () => void): Trouble {
  const ended = new AbortController();
  const observed = breakables.map(
    (part): Observed => ({
      part,
      state: 'up',
      sinceMs: Date.now(),
      isTroubled: false,
      undoAtMs: null,
      timer: undefined,
      problem: null,
      acting: Promise.resolve(),
    }),
  );

  const observe = async (one: Observed) => {
    const state = await one.part.observe();
    if (state === one.state) return;
    one.state = state;
    one.sinceMs = Date.now();
    // A restart by other means than the console ends the trouble too.
    if (state === 'up' && one.isTroubled) calm(one);
    onChange();
  };
  const watch = async () => {
    while (!ended.signal.aborted) {
      await Promise.all(observed.map(observe));
      await sleep(observeMs, undefined, { signal: ended.signal }).catch(() => {});
    }
  };
  const watching = watch();

  const run = (one: Observed, action: () => Promise<void>): Promise<void> => {
    const done = one.acting.then(async () => {
      try {
        await action();
        one.problem = null;
      } catch (error) {
        one.problem = error instanceof Error ? error.message : String(error);
        throw error;
      } finally {
        await observe(one);
        onChange();
      }
    });
    one.acting = done.catch(() => {});
    return done;
  };
  const calm = (one: Observed) => {
    clearTimeout(one.timer);
    one.isTroubled = false;
    one.undoAtMs = null;
  };
  const undo = (one: Observed) => {
    calm(one);
    return run(one, () => one.part.undo());
  };
  const trouble = (one: Observed, forMs: number | null) => {
    calm(one);
    one.isTroubled = true;
    if (forMs === null) return;
    one.undoAtMs = Date.now() + forMs;
    one.timer = setTimeout(() => undo(one).catch(() => {}), forMs);
  };
  return {
    get parts() {
      return observed.map(toPart);
    },
    apply: async ({ part: id, action, forMs, delayMs = defaultDelayMs }) => {
      const one = observed.find(({ part }) => part.id === id);
      if (!one) throw new HttpError(404, `there is no part ${id}`);
      if (action === 'undo') return undo(one);
      if (!one.part.possible(one.state).includes(action))
        throw new HttpError(409, `${one.part.name} is ${one.state}: it cannot ${action} now`);
      if (action === 'restart') calm(one);
      else trouble(one, forMs);
      return run(one, () => one.part.act(action, { delayMs }));
    },
    [Symbol.asyncDispose]: async () => {
      ended.abort();
      for (const one of observed) {
        calm(one);
        one.part.release();
      }
      await watching;
    },
  };
}

function toPart({ part, state, sinceMs, isTroubled, undoAtMs, problem }: Observed): Part {
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
    ...(part.breakers && { breakers: part.breakers() }),
    ...(commands && { commands }),
  };
}
