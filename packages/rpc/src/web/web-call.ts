import { fromBinary, type Message, type Registry } from '@bufbuild/protobuf';
import { ConnectError, encodeBinaryHeader, type HandlerContext } from '@connectrpc/connect';
import { Metadata } from '@grpc/grpc-js';
import { type Principal, runInCall, type ServedMethod } from '../call/call-context.ts';
import type { Handler } from '../call/handler.ts';
import { hasResponseStream } from '../call/method-kind.ts';
import { headerEntryBytes } from '../errors/header-entry.ts';
import { Code, RpcError } from '../errors/rpc-error.ts';
import { preEncodedBytes } from '../grpc-js/messages/pre-encoded.ts';
import { incomingStreamOf } from '../grpc-js/sessions/incoming-streams.ts';
import { markAuthenticated } from '../grpc-js/sessions/unauthenticated-connections.ts';
import { callStatus } from '../grpc-js/status.ts';
import { cancelReason } from '../incoming/cancel-reason.ts';
import { encodeResponse } from '../incoming/encode-response.ts';
import { IncomingCall, requestIdKey, type ServerCallOptions } from '../incoming/incoming-call.ts';
import { toConnectError } from './connect-error.ts';
import { breakOff, type HttpRequest, type HttpResponse, headerOf, isHttp2 } from './http-messages.ts';
import type { RequestForm } from './request-form.ts';
import { flushHead, setHead } from './write-response.ts';

/** A response message of a stream that waits to be sent. */
interface PendingResponse {
  readonly message: Message;
  readonly sent: PromiseWithResolvers<void>;
}

/** Time for an answer that has just been written to leave. A process that had no processor for a while resets none. */
const flushMs = 200;

/** Form of a header value that handlers see: printable ASCII, as in gRPC metadata. */
const valuePattern = /^[\x20-\x7e]*$/;

export interface WebCallOptions extends ServerCallOptions {
  /** Types of `google.protobuf.Any` in JSON. */
  readonly registry: Registry;
}

/**
 * The chain's view of a Connect or gRPC-Web call. The chain reads the request from the HTTP request. `@connectrpc/connect`
 * takes the response, and encodes it for the protocol.
 */
export class WebCall extends IncomingCall {
  readonly metadata = (key: string): string | undefined => this.textOf(key);
  readonly peer: string;
  readonly authority: string;
  readonly httpRequest: HttpRequest;
  readonly form: RequestForm;
  readonly registry: Registry;
  /** A certificate on the web port is that of a proxy, which forwards the calls of others. So it identifies no caller. */
  readonly peerIdentity = undefined;
  /** The response of a method that has one. */
  answer: Message | undefined;
  private readonly httpResponse: HttpResponse;
  private context: HandlerContext | undefined;
  private failure: ConnectError | undefined;
  private pending: PendingResponse | undefined;
  private onPending = () => {};
  private isResetDue = false;

  constructor(
    method: ServedMethod,
    httpRequest: HttpRequest,
    httpResponse: HttpResponse,
    form: RequestForm,
    options: WebCallOptions,
  ) {
    const { timeoutMs } = form;
    const deadlineAtMs = timeoutMs === undefined ? undefined : Date.now() + timeoutMs;
    super(method, headerOf(httpRequest, requestIdKey), deadlineAtMs, options);
    this.httpRequest = httpRequest;
    this.httpResponse = httpResponse;
    this.form = form;
    this.registry = options.registry;
    this.peer = peerOf(httpRequest);
    this.authority = isHttp2(httpRequest) ? httpRequest.authority : (headerOf(httpRequest, 'host') ?? '');
    this.respond = hasResponseStream(method.desc)
      ? (message) => this.respondInStream(message)
      : async (message) => {
          this.answer = this.checked(message);
        };
    httpResponse.once('close', () => this.close());
  }

  /** Whether the chain has started. Otherwise `@connectrpc/connect` has rejected the request. */
  get isStarted(): boolean {
    return this.context !== undefined;
  }

  get requestMetadata(): Metadata {
    return Metadata.fromHttp2Headers(this.httpRequest.headers);
  }

  get hasAuthorization(): boolean {
    return (
      incomingOf(this.httpRequest)?.hasAuthorization ?? this.httpRequest.headers.authorization !== undefined
    );
  }

  get headerListBytes(): number {
    return incomingOf(this.httpRequest)?.headerListBytes ?? headerListBytes(this.httpRequest);
  }

  authenticate(principal: Principal): void {
    this.principal = principal;
    if (isHttp2(this.httpRequest)) markAuthenticated(this.httpRequest.stream.session);
  }

  discardRequest(): void {
    this.httpRequest.resume();
  }

  /**
   * Runs the chain. Resolves when it has ended; then `answer` is set for a method with a single response.
   *
   * @throws ConnectError with the status of a failed call.
   */
  async run(chain: Handler, context: HandlerContext): Promise<void> {
    this.context = context;
    context.responseHeader.set(requestIdKey, this.requestId);
    context.signal.addEventListener('abort', () => this.onContextAborted(context.signal.reason), {
      once: true,
    });
    this.onAbort((reason) => this.dropPending(reason));
    try {
      await runInCall(this, chain);
    } catch (error) {
      this.failure = toConnectError(callStatus(error, this));
    }
    this.flushHeaders();
    addEntries(context.responseTrailer, this.takeTrailers());
    this.end(this.failure !== undefined);
    this.onPending();
    if (this.failure) throw this.failure;
  }

  /** Yields the responses of a stream. Ends, or throws the status, when `ended` does. */
  async *responses(ended: Promise<void>): AsyncGenerator<Message, void> {
    // Awaited below, and possibly never if the caller leaves.
    ended.catch(() => {});
    for (;;) {
      const { pending } = this;
      if (pending) {
        yield pending.message;
        if (this.pending === pending) this.pending = undefined;
        pending.sent.resolve();
      }
      if (this.callAbort.hasEnded) break;
      if (!this.pending) await this.nextPending();
    }
    await ended;
  }

  sendMetadata(headers: Metadata): void {
    if (!this.context) return;
    addEntries(this.context.responseHeader, headers);
    // A single response is sent with its headers, because its HTTP status depends on the outcome.
    if (!hasResponseStream(this.method.desc)) return;
    setHead(this.httpResponse, 200, this.context.responseHeader);
    flushHead(this.httpResponse);
  }

  reset(): void {
    this.releaseAll();
    if (!this.isResetDue) {
      this.isResetDue = true;
      this.options.unflushed.add(this, Date.now() + flushMs);
      return;
    }
    breakOff(this.httpRequest, this.httpResponse);
  }

  private nextPending(): Promise<void> {
    return new Promise((resolve) => {
      this.onPending = resolve;
    });
  }

  private dropPending(reason: RpcError): void {
    this.pending?.sent.reject(reason);
    this.pending = undefined;
  }

  private respondInStream(message: Message): Promise<void> {
    this.signal.throwIfAborted();
    const checked = this.checked(message);
    this.commitHeaders();
    const sent = Promise.withResolvers<void>();
    this.pending = { message: checked, sent };
    this.onPending();
    return sent.promise;
  }

  /** Returns the message to send. Encodes it, so that one that cannot be sent fails inside the chain. */
  private checked(message: Message): Message {
    const { output } = this.method.desc;
    const bytes = encodeResponse(output, message, this.options.maxResponseBytes);
    return preEncodedBytes(message) ? fromBinary(output, bytes) : message;
  }

  /** Called when `@connectrpc/connect` has ended the call: after its response, or because it cannot encode one. */
  private onContextAborted(reason: unknown): void {
    if (reason === this.failure || !(reason instanceof ConnectError)) return;
    const text = 'the response could not be encoded';
    if (this.callAbort.hasEnded) this.log.error({ err: reason }, text);
    else this.abort(new RpcError(Code.INTERNAL, text, { cause: reason }));
  }

  /** Called when the response has been sent, or the caller is gone. */
  private close(): void {
    this.isClosed = true;
    if (!this.callAbort.hasEnded) {
      this.callAbort.abort(
        this.httpRequest.chunkCount.isExceeded ? fragmented() : cancelReason(this.callerDeadlineAtMs),
      );
      return;
    }
    this.releaseAll();
    this.options.unflushed.delete(this);
  }

  private textOf(key: string): string | undefined {
    const value = headerOf(this.httpRequest, key);
    return value !== undefined && valuePattern.test(value) ? value : undefined;
  }
}

function fragmented(): RpcError {
  return new RpcError(Code.RESOURCE_EXHAUSTED, 'the request body comes in too many small chunks');
}

function incomingOf(request: HttpRequest) {
  return isHttp2(request) ? incomingStreamOf(request.stream) : undefined;
}

/** Returns the caller's address, as `CallContext.peer`. */
export function peerOf(request: HttpRequest): string {
  const { remoteAddress, remotePort } = request.socket;
  return (
    incomingOf(request)?.connection.peer ??
    (remoteAddress === undefined ? 'unknown' : `${remoteAddress}:${remotePort}`)
  );
}

/** Returns the size of the header list of an HTTP/1.1 request, with its path, as HTTP/2 counts it. */
function headerListBytes({ rawHeaders, url = '' }: HttpRequest): number {
  let sizeBytes = headerEntryBytes(':path', url.length);
  for (let index = 0; index < rawHeaders.length; index += 2)
    sizeBytes += headerEntryBytes(rawHeaders[index] ?? '', rawHeaders[index + 1]?.length ?? 0);
  return sizeBytes;
}

function addEntries(headers: Headers, metadata: Metadata | undefined): void {
  for (const [key, values] of Object.entries(metadata?.toJSON() ?? {}))
    for (const value of values)
      headers.append(key, typeof value === 'string' ? value : encodeBinaryHeader(value));
}
