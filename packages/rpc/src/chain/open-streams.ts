import type { Handler, Interceptor, ServerCall } from '../call/handler.ts';
import { hasResponseStream } from '../call/method-kind.ts';
import { Code, RpcError } from '../errors/rpc-error.ts';

/** The open calls that stream to the caller. A draining server would otherwise wait for them until their deadline. */
export interface OpenStreams {
  readonly interceptor: Interceptor;
  /** Ends the streams with UNAVAILABLE: a watching client resumes on another replica. */
  end(): void;
}

export function createOpenStreams(): OpenStreams {
  const open = new Set<ServerCall>();
  const serve = async (next: Handler, call: ServerCall) => {
    open.add(call);
    try {
      await next(call);
    } finally {
      open.delete(call);
    }
  };
  return {
    interceptor: (next) => (call) => (hasResponseStream(call.method.desc) ? serve(next, call) : next(call)),
    end: () => {
      for (const call of open) call.abort(new RpcError(Code.UNAVAILABLE, 'the server is shutting down'));
    },
  };
}
