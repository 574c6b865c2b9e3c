import type { RpcError } from '../errors/rpc-error.ts';

type Listener = (reason: RpcError) => void;

/**
 * The abort of a call, which happens at most once. The AbortController is created on the first use of the signal, because
 * most handlers never use it and it costs as much as an interceptor. A class, because closures per call would cost more.
 */
export class CallAbort {
  /** Whether the chain has ended. Later aborts have no effect. */
  hasEnded = false;
  private listeners: Listener[] = [];
  private controller: AbortController | undefined;
  private reason: RpcError | undefined;

  /** Aborts the call. The first reason stands. Does nothing after `end`, so that work that outlives the call continues. */
  abort(reason: RpcError): void {
    if (this.reason || this.hasEnded) return;
    this.reason = reason;
    this.controller?.abort(reason);
    for (const listener of this.listeners) listener(reason);
  }

  /** Calls `listener` on abort, or immediately if the call is already aborted. */
  onAbort(listener: Listener): void {
    if (this.reason) listener(this.reason);
    else this.listeners.push(listener);
  }

  signal(): AbortSignal {
    if (!this.controller) {
      this.controller = new AbortController();
      if (this.reason) this.controller.abort(this.reason);
    }
    return this.controller.signal;
  }

  end(): void {
    this.hasEnded = true;
    this.listeners = [];
  }
}
