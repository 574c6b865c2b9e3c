import { AsyncLocalStorage } from 'node:async_hooks';
import type { DescMethod } from '@bufbuild/protobuf';
import type { Logger } from 'pino';
import type { Policy } from './policy.ts';

/** Who calls. */
export interface Principal {
  /** The token's `sub`; empty before auth has run and on methods that it exempts. */
  readonly subject: string;
  readonly scopes: ReadonlySet<string>;
  /** The token's `exp`, in ms since the epoch: a stream ends then. Undefined: the rights do not expire. */
  readonly expiresAtMs?: number;
}

export const anonymous: Principal = { subject: '', scopes: new Set() };

/** A method as the chain and the handlers see it. */
export interface MethodInfo {
  readonly desc: DescMethod;
  /** `orders.v1.OrderService/GetOrder`, as OpenTelemetry's rpc.method names it. */
  readonly name: string;
  readonly policy: Policy;
}

/** What a handler knows of its call, beside the request. */
export interface CallContext {
  readonly method: MethodInfo;
  /** Metadata that came with the call; a key's first value, keys in lower case. */
  readonly header: (key: string) => string | undefined;
  /** The caller's address, as `ipv4:127.0.0.1:5000` without the scheme. */
  readonly peer: string;
  /** The caller's `x-request-id`, or one of our own. It goes along with every call made below this one. */
  readonly requestId: string;
  /** When the call must be over, in ms since the epoch. */
  readonly deadline: number;
  /** Aborted when the deadline has passed or the caller has gone; its reason is an RpcError. */
  readonly signal: AbortSignal;
  readonly principal: Principal;
  /** A logger whose lines carry the request id and the trace. */
  readonly log: Logger;
}

const storage = new AsyncLocalStorage<CallContext>();

/** The call that the running code serves, undefined outside of one. Outgoing calls inherit from it. */
export function currentCall(): CallContext | undefined {
  return storage.getStore();
}

/** Runs `body`, and all that it awaits, as part of the call. */
export function runInCall<Call extends CallContext, T>(call: Call, body: (call: Call) => T): T {
  return storage.run(call, body, call);
}

/** Runs `body` outside of any call: for work that a call starts and that must outlive it. */
export function runDetached<T>(body: () => T): T {
  return storage.exit(body);
}
