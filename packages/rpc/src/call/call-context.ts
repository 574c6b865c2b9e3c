import { AsyncLocalStorage } from 'node:async_hooks';
import type { DescMethod } from '@bufbuild/protobuf';
import type { Metadata } from '@grpc/grpc-js';
import type { Logger } from 'pino';
import type { Policy } from './policy.ts';

/** The caller: authenticated, or anonymous on an anonymous method. */
export interface Principal {
  /**
   * The token's `sub`, or the SPIFFE ID of the caller's certificate. Empty before authentication, and for a caller without
   * `authorization` on an anonymous method.
   */
  readonly subject: string;
  readonly scopes: ReadonlySet<string>;
  /** The token's `exp` in ms since the epoch, when streams end. Undefined if the scopes do not expire. */
  readonly expiresAtMs?: number;
}

/** The principal of a call that is not authenticated. */
export const anonymous: Principal = { subject: '', scopes: new Set() };

/** The protocol of a call. Connect and gRPC-Web are those of the web port. */
export type Protocol = 'grpc' | 'connect' | 'grpc_web';

/** A method with its policy. */
export interface MethodInfo {
  readonly desc: DescMethod;
  /** `orders.v1.OrderService/GetOrder`; see `methodName`. */
  readonly name: string;
  readonly policy: Policy;
}

/** A method as one protocol of a server serves it. */
export interface ServedMethod extends MethodInfo {
  readonly protocol: Protocol;
}

/** The call that a handler serves, besides its request. */
export interface CallContext {
  readonly method: ServedMethod;
  /** Returns the first text of a key of the caller's metadata. Keys are in lower case. */
  readonly metadata: (key: string) => string | undefined;
  /**
   * The caller's metadata: all values, those of keys that end with `-bin` as bytes. Node joins the texts of a repeated key
   * with `, `. Entries that are not printable ASCII are missing.
   */
  readonly requestMetadata: Metadata;
  /**
   * The headers (initial metadata) of the response, at most 7 KiB and 100 values. They are sent before its first message,
   * before the status of a call that fails earlier, or by `sendHeaders`. A key that is reserved or that HTTP/2 forbids, a
   * text that is not printable ASCII or has a space at an end, too many bytes or values, and a change after they were sent
   * throw an Error.
   */
  readonly responseHeaders: Metadata;
  /**
   * The trailers (trailing metadata), at most 4 KiB and 100 values. They are sent with the status, also with that of an error, where they
   * take room from its details. Throws as `responseHeaders` does.
   */
  readonly responseTrailers: Metadata;
  /**
   * Sends `responseHeaders` now, even if they are empty. A second call does nothing. The headers commit the call: the
   * client does not retry it afterwards (gRFC A6). The same holds for headers that are sent before an error.
   */
  readonly sendHeaders: () => void;
  /** The caller's address, as `ipv4:127.0.0.1:5000` without the scheme. */
  readonly peer: string;
  /** The caller's `x-request-id`, or a new one. Outgoing calls carry it too. */
  readonly requestId: string;
  /** In ms since the epoch. */
  readonly deadlineAtMs: number;
  /** Aborted when the deadline has expired or the caller has cancelled. Its reason is an RpcError. */
  readonly signal: AbortSignal;
  readonly principal: Principal;
  /** A logger whose lines carry the request id and the trace. */
  readonly log: Logger;
}

const storage = new AsyncLocalStorage<CallContext>();

/** Returns the call that the running code serves, or undefined. Outgoing calls inherit from it. */
export function currentCall(): CallContext | undefined {
  return storage.getStore();
}

/** Runs `body`, with everything that it awaits, as part of the call. */
export function runInCall<Call extends CallContext, T>(call: Call, body: (call: Call) => T): T {
  return storage.run(call, body, call);
}

/** Runs `body` outside of any call, for work that outlives the call which starts it. */
export function runDetached<T>(body: () => T): T {
  return storage.exit(body);
}
