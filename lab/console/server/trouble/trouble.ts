import type { Part, TroubleRequest } from '../../api.ts';
import { HttpError } from '../http/http-error.ts';
import type { Breakable } from './breakable.ts';
import { watchPart } from './watched-part.ts';

/** The parts of the system, which break on request and are mended by a timer, on request, or at the end. */
export interface Trouble extends AsyncDisposable {
  /** The parts as they were last observed. */
  readonly parts: readonly Part[];
  /**
   * Resolves when it is done.
   *
   * @throws HttpError 404 for an unknown part, 409 for an action that is not possible now, 503 at the end.
   */
  apply(request: TroubleRequest): Promise<void>;
}

/** @param onChange Called when a part has changed. */
export function startTrouble(breakables: readonly Breakable[], onChange: () => void): Trouble {
  const watched = new Map(breakables.map((part) => [part.id, watchPart(part, onChange)]));
  return {
    get parts() {
      return [...watched.values()].map(({ part }) => part);
    },
    apply: async ({ part: id, ...request }) => {
      const one = watched.get(id);
      if (!one) throw new HttpError(404, `there is no part ${id}`);
      return one.apply(request);
    },
    [Symbol.asyncDispose]: async () => {
      await Promise.all([...watched.values()].map((one) => one[Symbol.asyncDispose]()));
    },
  };
}
