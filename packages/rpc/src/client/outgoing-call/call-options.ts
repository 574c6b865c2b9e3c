import type { Metadata } from '@grpc/grpc-js';
import { currentCall, type MethodInfo } from '../../call/call-context.ts';
import { Code, RpcError } from '../../errors/rpc-error.ts';

/** Options of one call. */
export interface CallOptions {
  /** Cancels the call. */
  readonly signal?: AbortSignal;
  /**
   * Time until the deadline. Default: the contract's deadline. The call that is being served can shorten it. `Infinity` is
   * the maximum of the method's policy, which means no deadline if the policy is in code and has none.
   */
  readonly deadlineMs?: number;
  /**
   * Metadata to send, at most 15.5 KiB including the token, and at most 100 values: one value or several for each key, bytes
   * for a key that ends with `-bin` and printable ASCII text without a space at an end for any other. A key that is
   * ill-formed, reserved for gRPC or HTTP/2, or set by the client itself fails the call with INVALID_ARGUMENT before
   * anything is sent. So do several values of a key that HTTP permits one of, `etag` for instance.
   *
   * A server on Node receives several texts as one, joined by `, `.
   */
  readonly metadata?: OutgoingMetadata | undefined;
  /**
   * Waits until its deadline for a replica that can serve it, and for addresses of its target. Default: the call is
   * UNAVAILABLE as soon as no replica can be reached (gRPC's wait-for-ready).
   */
  readonly waitForReady?: boolean | undefined;
  /**
   * Called with the headers of the response before its first message, at most once. Not called for a response of trailers
   * only, as servers send for most failed calls, and for a call that fails without a response.
   *
   * An error that it throws cancels the call, which rejects with that error. A promise that it returns is awaited before the
   * call ends, until the deadline.
   */
  readonly onHeaders?: ((headers: Metadata) => void) | undefined;
  /**
   * Called with the trailers when the call has ended, after its last response has been read: at most once, also if the
   * call fails. Empty if the server has sent none. Not called if the call was never started, if its reader stops reading
   * before the end, and after an error of `onHeaders` or of the source of the requests.
   *
   * The call rejects with an error that it throws, in place of its own outcome. A promise that it returns is awaited, until
   * the deadline.
   */
  readonly onTrailers?: ((trailers: Metadata) => void) | undefined;
}

/** The values of each metadata key. */
export type OutgoingMetadata = Readonly<Record<string, MetadataValue | readonly MetadataValue[]>>;

/** Bytes for a key that ends with `-bin`, text for any other. */
type MetadataValue = string | Uint8Array;

/** Options of a call with a stream of responses. */
export interface StreamCallOptions extends CallOptions {
  /** Aborted when the reader stops reading. The call is cancelled, and the reader gets no error. */
  readonly readerSignal?: AbortSignal;
}

/**
 * Maximum deadline. A grpc-js server takes a deadline of more than 2^31 ms (24.8 days) for one that has expired, and a
 * client may round it up by a second.
 */
const maxDeadlineMs = 24 * 24 * 60 * 60 * 1000;

/**
 * Returns the deadline of a call in ms since the epoch: that of its options or of the contract, limited by the contract's
 * max_deadline, which the server does not exceed, and by the deadline of the call that is being served. `Infinity` if
 * neither sets one.
 *
 * @throws RpcError DEADLINE_EXCEEDED if no time is left.
 */
export function outgoingDeadlineAtMs(method: MethodInfo, options: CallOptions): number {
  const nowMs = Date.now();
  const deadlineMs = Math.min(options.deadlineMs ?? method.policy.deadlineMs, method.policy.maxDeadlineMs);
  const deadlineAtMs = Math.min(
    deadlineMs === Infinity ? Infinity : nowMs + Math.min(deadlineMs, maxDeadlineMs),
    currentCall()?.deadlineAtMs ?? Infinity,
  );
  // Written so that NaN fails too.
  if (!(deadlineAtMs > nowMs))
    throw new RpcError(Code.DEADLINE_EXCEEDED, `no time is left to call ${method.name}`, {
      calledMethod: method.name,
    });
  return deadlineAtMs;
}

/**
 * Calls `cancel` when the reader stops reading, or when the signal of the call or of the call that is being served is
 * aborted. Returns a function that removes the listeners, which would otherwise pile up on a signal that outlives the
 * call.
 */
export function onAbort(options: StreamCallOptions, cancel: () => void): () => void {
  const signals = signalsOf(options);
  for (const signal of signals) {
    if (signal.aborted) cancel();
    else signal.addEventListener('abort', cancel);
  }
  return () => {
    for (const signal of signals) signal.removeEventListener('abort', cancel);
  };
}

/** Returns whether the caller, the reader or the call that is being served has ended the call. */
export function isAborted(options: StreamCallOptions): boolean {
  return signalsOf(options).some(({ aborted }) => aborted);
}

function signalsOf({ signal, readerSignal }: StreamCallOptions): AbortSignal[] {
  return [signal, readerSignal, currentCall()?.signal].filter((each) => each !== undefined);
}
