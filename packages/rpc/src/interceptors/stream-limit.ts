import type { Interceptor } from '../bridge/handler.ts';
import { Code, RpcError } from '../errors.ts';

/**
 * Rejects a stream with RESOURCE_EXHAUSTED while `maxStreams` others are open. A stream counts from its headers to its
 * status, or to its abort if the handler ignores that. Unary calls pass.
 */
export function streamLimit(maxStreams: number): Interceptor {
  let openStreams = 0;
  return (next) => async (call) => {
    if (call.method.desc.methodKind === 'unary') return next(call);
    if (openStreams >= maxStreams)
      throw new RpcError(Code.RESOURCE_EXHAUSTED, 'the server has too many open streams');
    let isOpen = true;
    const close = () => {
      if (isOpen) openStreams--;
      isOpen = false;
    };
    openStreams++;
    call.onAbort(close);
    try {
      await next(call);
    } finally {
      close();
    }
  };
}
