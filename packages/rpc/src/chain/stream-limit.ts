import type { Interceptor } from '../call/handler.ts';
import { Code, RpcError } from '../errors/rpc-error.ts';
import { createFairShare, streamOvercommitFactor } from '../limits/fair-share.ts';
import { serveAndRelease } from './serve-and-release.ts';

/**
 * Rejects a stream with RESOURCE_EXHAUSTED while `maxStreams` others are open, unless its connection has less than its
 * share of them. A stream counts from its headers to its status or its abort, whichever comes first. Unary calls pass.
 */
export function streamLimit(maxStreams: number): Interceptor {
  const streams = createFairShare();
  return (next) => async (call) => {
    if (call.method.desc.methodKind === 'unary') return next(call);
    const { caller } = call;
    if (!streams.hasRoom(caller, maxStreams, streamOvercommitFactor))
      throw new RpcError(Code.RESOURCE_EXHAUSTED, 'the server has too many open streams');
    streams.add(caller);
    return serveAndRelease(next, call, () => streams.remove(caller));
  };
}
