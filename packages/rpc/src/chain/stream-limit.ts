import type { Interceptor } from '../call/handler.ts';
import { Code, RpcError } from '../errors/rpc-error.ts';
import { createShares } from '../limits/shares.ts';

/** Other connections still get their share when one has taken all. */
const fullFactor = 1.25;

/**
 * Rejects a stream with RESOURCE_EXHAUSTED while `maxStreams` others are open, unless its connection has less than its
 * share of them. A stream counts from its headers to its status, or to its abort if the handler ignores that. Unary
 * calls pass.
 */
export function streamLimit(maxStreams: number): Interceptor {
  const streams = createShares();
  return (next) => async (call) => {
    if (call.method.desc.methodKind === 'unary') return next(call);
    const { caller } = call;
    if (!streams.hasRoom(caller, maxStreams, fullFactor))
      throw new RpcError(Code.RESOURCE_EXHAUSTED, 'the server has too many open streams');
    let isOpen = true;
    const close = () => {
      if (isOpen) streams.remove(caller);
      isOpen = false;
    };
    streams.add(caller);
    call.onAbort(close);
    try {
      await next(call);
    } finally {
      close();
    }
  };
}
