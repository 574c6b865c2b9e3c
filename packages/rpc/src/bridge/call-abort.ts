import type { RpcError } from '../errors.ts';
import type { ServerCall } from './handler.ts';

/**
 * The one abort of a call. Its AbortController is made when somebody asks for the signal: most handlers never do, and it
 * would cost them as much as an interceptor.
 */
export function createCallAbort(): Pick<ServerCall, 'abort' | 'onAbort'> & { signal(): AbortSignal } {
  const listeners = new Set<(reason: unknown) => void>();
  let controller: AbortController | undefined;
  let aborted: RpcError | undefined;
  return {
    abort: (reason) => {
      if (aborted) return;
      aborted = reason;
      controller?.abort(reason);
      for (const listener of listeners) listener(reason);
    },
    onAbort: (listener) => {
      if (aborted) listener(aborted);
      else listeners.add(listener);
      return () => listeners.delete(listener);
    },
    signal: () => {
      if (!controller) {
        controller = new AbortController();
        if (aborted) controller.abort(aborted);
      }
      return controller.signal;
    },
  };
}
