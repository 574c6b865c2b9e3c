import type { RpcError } from '../errors/rpc-error.ts';

type Listener = (reason: RpcError) => void;

/**
 * The one abort of a call. Its AbortController is made when somebody asks for the signal: most handlers never do, and it
 * would cost them as much as an interceptor. A class, because it is made for every call: its methods are not.
 */
export class CallAbort {
  /** Whether the call is answered. */
  isOver = false;
  private listeners: Listener[] = [];
  private controller: AbortController | undefined;
  private reason: RpcError | undefined;

  /** The first reason stands. What is over cannot be aborted: work that outlives the call must not hear of it. */
  abort(reason: RpcError): void {
    if (this.reason || this.isOver) return;
    this.reason = reason;
    this.controller?.abort(reason);
    for (const listener of this.listeners) listener(reason);
  }

  /** Hears of the abort, at once when it has been already. */
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
    this.isOver = true;
    this.listeners = [];
  }
}
