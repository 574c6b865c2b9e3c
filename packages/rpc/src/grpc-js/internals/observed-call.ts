import { type ClientHttp2Stream, constants, type IncomingHttpHeaders } from 'node:http2';
import { type experimental, type Metadata, status } from '@grpc/grpc-js';
import { cutOffText } from './error-texts.ts';
import { comesInFragments, type Decoder, decodeChunk, discardChunks } from './message-decoder.ts';
import { flagProblem, headersProblem, type ResponseProblem } from './response-problem.ts';

type RealSubchannel = ReturnType<experimental.SubchannelInterface['getRealSubchannel']>;

/** The callbacks of grpc-js for a call on a connection. */
type Listener = Parameters<RealSubchannel['createCall']>[3];
export type CallStatus = Parameters<Listener['onReceiveStatus']>[0];

export interface SubchannelObserver {
  /** Maximum size of a response message. */
  readonly maxResponseBytes: number;
  onCall(): void;
  /**
   * Returns the status code to report for the call instead of grpc-js's own; undefined keeps it.
   *
   * @param isLost is true if the call has ended without a response, or in the middle of one: with its connection, or by a
   * reset of its stream.
   */
  onCallEnded(ended: CallStatus, isLost: boolean): status | undefined;
}

/**
 * The private parts of grpc-js's client call. It has no public way to see the HTTP status and a cut message, to limit one
 * call's responses, and to deliver responses before the error that follows them. `broken-servers.test.ts` fails when an
 * upgrade changes one of these parts.
 */
interface Http2Call {
  readonly http2Stream: ClientHttp2Stream & { [observedBy]?: ObservedCall };
  readonly httpStatusCode: number | undefined;
  readonly decoder: Decoder & { [observedBy]?: ObservedCall };
  finalStatus: CallStatus | null;
  /** Whether all data has been read from the HTTP/2 stream. */
  readsClosed: boolean;
  maybeOutputStatus(): void;
  handleTrailers(headers: IncomingHttpHeaders): void;
  endCall(ended: CallStatus): void;
  cancelWithStatus(code: status, details: string): void;
  [observedBy]?: ObservedCall;
}

const observedBy = Symbol('observedBy');

/** `Status` of gRPC's HTTP/2 protocol. */
const statusPattern = /^[0-9]+$/;

/** Number of informational header lists of a response. Proxies send none, or few. */
const maxInformationalHeaders = 100;

/** Text of grpc-js for a response without `grpc-status`. */
const withoutStatusText = 'Received HTTP status code 200';

/**
 * Checks what a server sends for one call, on its way from the HTTP/2 stream to the rest of grpc-js. An object for each
 * call instead of closures, which cost more.
 */
export class ObservedCall implements Listener {
  readonly #listener: Listener;
  readonly #observer: SubchannelObserver;
  #call: Http2Call | undefined;
  #encoding: unknown;
  #hasHeaders = false;
  #isInTrailers = false;
  #hasInvalidStatus = false;
  #hasLostData = false;
  #informationalHeaders = 0;
  /** The status of the trailers, while messages before them have yet to be read. */
  #held: CallStatus | undefined;
  /** Stands for `#held` in grpc-js, which waits for the messages only with the status OK. */
  #standIn: CallStatus | undefined;

  constructor(listener: Listener, observer: SubchannelObserver) {
    this.#listener = listener;
    this.#observer = observer;
  }

  /** Must be called with the call in the turn of the event loop in which it is made. */
  attach(grpcCall: object): void {
    const call = grpcCall as Http2Call;
    this.#call = call;
    call.decoder.maxReadMessageLength = this.#observer.maxResponseBytes;
    call.decoder[observedBy] = this;
    call.decoder.write = writeThrough;
    call[observedBy] = this;
    call.handleTrailers = handleTrailersThrough;
    call.endCall = endCallThrough;
    call.http2Stream[observedBy] = this;
    call.http2Stream.on('close', closeThrough).on('headers', informationalHeadersThrough);
  }

  onReceiveMetadata(metadata: Metadata): void {
    this.#hasHeaders = true;
    const problem = headersProblem(this.#call?.httpStatusCode, metadata.get('content-type')[0]);
    this.#encoding = metadata.get('grpc-encoding')[0];
    if (problem) this.#fail(problem);
    else this.#listener.onReceiveMetadata(metadata);
  }

  onReceiveMessage(framed: Buffer): void {
    const problem = flagProblem(framed[0], this.#encoding);
    if (problem) this.#fail(problem);
    else this.#listener.onReceiveMessage(framed);
  }

  onReceiveStatus(ended: CallStatus): void {
    const received = this.#corrected(ended === this.#standIn && this.#held ? this.#held : ended);
    const isLost = isWithoutStatus(ended) && !this.#isCutOff(ended);
    const code = this.#observer.onCallEnded(received, isLost);
    this.#listener.onReceiveStatus(code === undefined ? received : { ...received, code });
  }

  handleTrailers(call: Http2Call, headers: IncomingHttpHeaders): void {
    const grpcStatus = headers['grpc-status'];
    // grpc-js takes an empty text for 0, which is OK.
    this.#hasInvalidStatus = grpcStatus !== undefined && !statusPattern.test(String(grpcStatus));
    this.#isInTrailers = true;
    methodsOf(call).handleTrailers.call(call, headers);
    this.#isInTrailers = false;
  }

  endCall(call: Http2Call, ended: CallStatus): void {
    if (this.#isInTrailers && this.#hasHeaders && ended.code !== status.OK && !call.finalStatus)
      methodsOf(call).endCall.call(call, this.#hold(ended));
    else methodsOf(call).endCall.call(call, ended);
  }

  /** A stream that is reset after its trailers emits no `end`, for which grpc-js would wait until the deadline. */
  onClose(): void {
    const call = this.#call;
    if (!call?.finalStatus || call.readsClosed) return;
    this.#hasLostData = call.http2Stream.readableLength > 0;
    call.readsClosed = true;
    call.maybeOutputStatus();
  }

  /** Called for a header list with an HTTP status of 1xx, which grpc-js ignores. */
  onInformationalHeaders(): void {
    if (++this.#informationalHeaders <= maxInformationalHeaders) return;
    this.endConnection({ code: status.INTERNAL, message: 'the response has too many informational headers' });
  }

  /**
   * Ends the call and its connection, whose server keeps the process from other work. A reset of the stream alone would leave the frames
   * that are on their way, and those of the next call. Other calls on the connection end UNAVAILABLE.
   */
  endConnection(problem: ResponseProblem): void {
    this.#fail(problem);
    const session = this.#call?.http2Stream.session;
    // nghttp2, which calls this, must return first.
    process.nextTick(() => session?.destroy(new Error(problem.message), constants.NGHTTP2_INTERNAL_ERROR));
  }

  /** Returns the status that makes grpc-js wait until the messages have been read. */
  #hold(ended: CallStatus): CallStatus {
    this.#held = ended;
    this.#standIn = { ...ended, code: status.OK };
    return this.#standIn;
  }

  #fail({ code, message }: ResponseProblem): void {
    this.#call?.cancelWithStatus(code, message);
  }

  /** Returns whether a response ended as a complete one does, but without trailers. */
  #isCutOff(ended: CallStatus): boolean {
    return this.#hasHeaders && isWithoutStatus(ended) && ended.rstCode === constants.NGHTTP2_NO_ERROR;
  }

  /** Corrects a status in which grpc-js hides the server's response. */
  #corrected(ended: CallStatus): CallStatus {
    const decoder = this.#call?.decoder;
    if (!decoder) return ended;
    if (this.#hasInvalidStatus)
      return { ...ended, code: status.UNKNOWN, details: 'the grpc-status of the response is not a number' };
    if (ended.code === status.OK && decoder.readState !== 0)
      return { ...ended, code: status.INTERNAL, details: 'the response ended within a message' };
    if (ended.code === status.OK && this.#hasLostData)
      return {
        ...ended,
        code: status.UNAVAILABLE,
        details: 'the stream was reset before its responses were read',
      };
    if (ended.code === status.RESOURCE_EXHAUSTED && decoder.readMessageSize > decoder.maxReadMessageLength) {
      const details = tooLargeText(decoder.readMessageSize, decoder.maxReadMessageLength);
      return { ...ended, details };
    }
    if (this.#isCutOff(ended)) return { ...ended, details: cutOffText };
    if (ended.code === status.UNKNOWN && ended.details === withoutStatusText)
      return { ...ended, details: 'the response has no grpc-status' };
    return ended;
  }
}

/** Returns whether grpc-js reports that the server ended the stream without a status, as INTERNAL. */
function isWithoutStatus({ code, rstCode }: CallStatus): boolean {
  return code === status.INTERNAL && rstCode !== undefined;
}

function tooLargeText(sizeBytes: number, maxBytes: number): string {
  return `a response of ${sizeBytes} bytes is over the limit of ${maxBytes}: see maxResponseBytes of createClient`;
}

function writeThrough(this: Http2Call['decoder'], chunk: Buffer): Buffer[] {
  const messages = decodeChunk(this, chunk);
  if (comesInFragments(this)) {
    discardChunks(this);
    const message = 'a response message comes in too many small frames';
    this[observedBy]?.endConnection({ code: status.RESOURCE_EXHAUSTED, message });
  }
  return messages;
}

function informationalHeadersThrough(this: Http2Call['http2Stream']): void {
  this[observedBy]?.onInformationalHeaders();
}

function handleTrailersThrough(this: Http2Call, headers: IncomingHttpHeaders): void {
  this[observedBy]?.handleTrailers(this, headers);
}

function endCallThrough(this: Http2Call, ended: CallStatus): void {
  this[observedBy]?.endCall(this, ended);
}

function closeThrough(this: Http2Call['http2Stream']): void {
  this[observedBy]?.onClose();
}

function methodsOf(call: Http2Call): Http2Call {
  return Object.getPrototypeOf(call) as Http2Call;
}
