import type { Interceptor } from '../call/handler.ts';
import { Code, RpcError } from '../errors/rpc-error.ts';
import { createFairShare } from '../limits/fair-share.ts';

/** Multiple of the limit up to which connections with less than their share are admitted. */
const overcommitFactor = 1.25;

/**
 * Rejects a stream with RESOURCE_EXHAUSTED while `maxStreams` others are open, unless its connection has less than its
 * share of them. A stream counts from its headers to its status or its abort, whichever comes first. Unary calls pass.
 */
export function streamLimit(maxStreams: number): Interceptor {
  const streams = createFairShare();
  return (next) => async (call) => {
    if (call.method.desc.methodKind === 'unary') return next(call);
    const { caller } = call;
    if (!streams.hasRoom(caller, maxStreams, overcommitFactor))
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
