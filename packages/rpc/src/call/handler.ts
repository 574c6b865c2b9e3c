import type { DescMethod, DescService, Message, MessageInitShape, MessageShape } from '@bufbuild/protobuf';
import type { RpcError } from '../errors/rpc-error.ts';
import type { CallContext, Principal } from './call-context.ts';

/**
 * A call in the interceptor chain: the context that the handler will get, which interceptors can change, and access to its
 * messages. It has the same shape for all four kinds of RPC.
 */
export interface ServerCall extends Writable<CallContext> {
  /** The deadline that the caller sent, in ms since the epoch; undefined if it sent none. */
  readonly callerDeadlineAtMs: number | undefined;
  /** The SPIFFE ID of the caller's verified certificate (mTLS), which can replace a token. */
  readonly peerIdentity: string | undefined;
  /**
   * Key by which quota, admission and memory count calls: the principal's subject, or the address and port of the connection
   * if the caller is not authenticated.
   */
  readonly caller: string;
  /** Sets the principal, and marks the connection as that of an authenticated caller. */
  authenticate(principal: Principal): void;
  /** The `:authority` that the caller sent: `inventory:50052`. It can be any text. */
  readonly authority: string;
  /** Size of the call's header list, as HTTP/2 counts it. */
  readonly headerListBytes: number;
  /** Whether the caller sent `authorization`. One with illegal bytes has no value in `metadata`. */
  readonly hasAuthorization: boolean;
  /**
   * Returns the request, or the stream of requests. Nothing is read before the first call. Throws INTERNAL for bytes that
   * cannot be decoded, and RESOURCE_EXHAUSTED for a message that is too large.
   */
  request: () => Promise<Message> | AsyncIterable<Message>;
  /** Discards the bytes of a request that will not be read. */
  discardRequest(): void;
  /**
   * Sends a response message. On a stream it resolves when there is room for the next one. A unary response is sent when
   * the chain has ended, so that a later failure is still returned.
   */
  readonly respond: (response: Message) => Promise<void>;
  /** Aborts the call's signal. Only the first reason counts. */
  abort(reason: RpcError): void;
  /** Calls `listener` on abort, or immediately if the call is already aborted. Cheaper than a listener on `signal`. */
  onAbort(listener: (reason: RpcError) => void): void;
  /** Fields of every log line of the call. Add to it before the first use of `log`. */
  readonly logFields: Record<string, unknown>;
  /** Writes one line as `log` would, without creating that logger. */
  writeLog(level: 'info' | 'error', fields: object, message: string): void;
}

/**
 * Serves one call. Resolves when the call has been answered. An error that it throws or rejects with becomes the call's
 * status, so an interceptor that acts after `next(call)` has to await it.
 */
export type Handler = (call: ServerCall) => Promise<void>;

/** A link of the chain. */
export type Interceptor = (next: Handler) => Handler;

/** A handler for each method of a service, typed by its protobuf-es descriptor. */
export type ServiceImplementation<Service extends DescService> = {
  readonly [Name in keyof Service['method']]: MethodImplementation<Service['method'][Name]>;
};

type MethodImplementation<Method extends DescMethod> = {
  unary: (request: Input<Method>, context: CallContext) => Promise<Output<Method>>;
  client_streaming: (requests: AsyncIterable<Input<Method>>, context: CallContext) => Promise<Output<Method>>;
  server_streaming: (request: Input<Method>, context: CallContext) => AsyncIterable<Output<Method>>;
  bidi_streaming: (
    requests: AsyncIterable<Input<Method>>,
    context: CallContext,
  ) => AsyncIterable<Output<Method>>;
}[Method['methodKind']];

type Input<Method extends DescMethod> = MessageShape<Method['input']>;
type Output<Method extends DescMethod> = MessageInitShape<Method['output']>;
type Writable<T> = { -readonly [Key in keyof T]: T[Key] };
