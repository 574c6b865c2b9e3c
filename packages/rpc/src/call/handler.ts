import type { DescMethod, DescService, Message, MessageInitShape, MessageShape } from '@bufbuild/protobuf';
import type { RpcError } from '../errors/rpc-error.ts';
import type { CallContext, Principal } from './call-context.ts';

/**
 * A call on its way through the chain: what the handler will see of it, open to the interceptors, and the ways in
 * and out for its messages. It has the same shape for all four kinds of RPC.
 */
export interface ServerCall extends Writable<CallContext> {
  /** The deadline that the caller set, in ms since the epoch; undefined when it set none. */
  readonly callerDeadline: number | undefined;
  /** The SPIFFE ID of the caller's verified certificate (mTLS), by which it may call without a token. */
  readonly peerIdentity: string | undefined;
  /** By whom calls are counted: the principal's subject, or the address of a caller that is not authenticated. */
  readonly caller: string;
  /** Sets the principal, and marks the connection as one that an authenticated caller uses. */
  authenticate(principal: Principal): void;
  /** What the caller calls this server: `inventory:50052`, from `:authority`. It can be anything. */
  readonly authority: string;
  /** Size of the header list that the call came with, as HTTP/2 counts it. */
  readonly headerListBytes: number;
  /** Whether the caller sent `authorization` at all: one with illegal bytes has no value here. */
  readonly hasAuthorization: boolean;
  /**
   * The request, or the stream of them. Nothing of it is read before the first call. Throws INTERNAL for bytes that
   * cannot be decoded, RESOURCE_EXHAUSTED for a message that is too long.
   */
  request: () => Promise<Message> | AsyncIterable<Message>;
  /** Drops what comes of a request that will not be read. */
  discardRequest(): void;
  /**
   * Sends a response message. On a stream it resolves when there is room for the next one; a unary response waits
   * until the chain has ended, so that nothing is answered OK that still fails.
   */
  readonly respond: (response: Message) => Promise<void>;
  /** Ends the call's work: aborts its signal with this reason. The first reason stands. */
  abort(reason: RpcError): void;
  /** Hears of the abort, at once when it has been already. It costs a tenth of what a listener on `signal` does. */
  onAbort(listener: (reason: RpcError) => void): void;
  /** What every line of the call's log has. To be added to before `log` is first asked for. */
  readonly logFields: Record<string, unknown>;
  /** Writes one line as `log` would, which need not be made for that. */
  writeLog(level: 'info' | 'error', fields: object, message: string): void;
}

/**
 * Serves one call. Resolves when all is answered. What it throws becomes the call's status, at once or as a rejection:
 * an interceptor that waits for `next(call)` does so by `await`.
 */
export type Handler = (call: ServerCall) => Promise<void>;

/** A link of the chain. */
export type Interceptor = (next: Handler) => Handler;

/** The handlers of a service, all of its methods, as its protobuf-es descriptor types them. */
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
