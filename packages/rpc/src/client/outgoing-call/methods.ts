import type { Message } from '@bufbuild/protobuf';
import {
  type ClientReadableStream,
  connectivityState,
  type Client as GrpcClient,
  type ServiceError,
} from '@grpc/grpc-js';
import type { MethodInfo } from '../../call/call-context.ts';
import { hasResponseStream } from '../../call/method-kind.ts';
import { Code, RpcError } from '../../errors/rpc-error.ts';
import { setStreamMarker } from '../balancing/stream-marker.ts';
import type { TokenSource } from '../credentials/token-source.ts';
import { recordAttempts } from './attempts.ts';
import { type CallOptions, onAbort, outgoingDeadlineAtMs, type StreamCallOptions } from './call-options.ts';
import { tokenFor } from './call-token.ts';
import { codecOf, encoded } from './codec.ts';
import { type NoAuthorization, outgoingMetadata, requireValidMetadata } from './outgoing-metadata.ts';
import { receivedError } from './received-error.ts';
import { observeMetadata, type ReceivedMetadata } from './received-metadata.ts';
import { openRequestSource, type RequestSource } from './request-source.ts';

/** State that all calls of a client share. */
export interface ClientCalls {
  readonly grpc: GrpcClient;
  readonly token: TokenSource | undefined;
  /** Maximum size of a request message, before its compression. */
  readonly maxRequestBytes: number;
  /** Set if the caller must not send `authorization` in a call's metadata. */
  readonly noAuthorization?: NoAuthorization | undefined;
}

/** Stands for the init shape of any message. */
type Init = Message;
type Many<T> = AsyncIterable<T> | Iterable<T>;

export function unaryMethod(calls: ClientCalls, method: MethodInfo) {
  const { path, encode, decode } = codecOf(method, calls.maxRequestBytes);
  return async (request: Init, options: CallOptions = {}): Promise<Message> => {
    const bytes = encode(request);
    const { metadata, deadlineAtMs } = await prepare(calls, method, options);
    requireOpen(calls, method);
    let received: ReceivedMetadata | undefined;
    const answer = await new Promise<ServiceError | Message>((resolve) => {
      const decodeAndReadOn = (response: Buffer) => {
        // grpc-js reads one response of a unary call, and would wait for the deadline if there is a second one.
        call.call?.startRead();
        return decode(response);
      };
      const grpcOptions = { deadline: deadlineAtMs };
      const call = calls.grpc.makeUnaryRequest(
        path,
        encoded,
        decodeAndReadOn,
        bytes,
        metadata,
        grpcOptions,
        (error, response) => {
          stopWatching();
          resolve(error ?? (response as Message));
        },
      );
      recordAttempts(call, method);
      received = observeMetadata(call, options);
      const stopWatching = onAbort(options, () => call.cancel());
    });
    if (received) await received.finish({ method, deadlineAtMs, options });
    if (answer instanceof Error) throw receivedError(answer, method, options, deadlineAtMs);
    return answer;
  };
}

export function serverStreamingMethod(calls: ClientCalls, method: MethodInfo) {
  const { path, encode, decode } = codecOf(method, calls.maxRequestBytes);
  return (request: Init, options: StreamCallOptions = {}) =>
    responsesOf(method, options, async () => {
      const bytes = encode(request);
      const { metadata, deadlineAtMs } = await prepare(calls, method, options);
      requireOpen(calls, method);
      const grpcOptions = { deadline: deadlineAtMs };
      const call = calls.grpc.makeServerStreamRequest(path, encoded, decode, bytes, metadata, grpcOptions);
      return { call, deadlineAtMs };
    });
}

export function clientStreamingMethod(calls: ClientCalls, method: MethodInfo) {
  const { path, encode, decode } = codecOf(method, calls.maxRequestBytes);
  return async (requests: Many<Init>, options: CallOptions = {}): Promise<Message> => {
    const source = openRequestSource(requests, encode);
    try {
      const { metadata, deadlineAtMs } = await prepare(calls, method, options);
      requireOpen(calls, method);
      let received: ReceivedMetadata | undefined;
      const answer = await new Promise<ServiceError | Message>((resolve) => {
        const grpcOptions = { deadline: deadlineAtMs };
        const call = calls.grpc.makeClientStreamRequest(
          path,
          encoded,
          decode,
          metadata,
          grpcOptions,
          (error, response) => {
            stopWatching();
            resolve(error ?? (response as Message));
          },
        );
        recordAttempts(call, method);
        call.on('error', () => {});
        received = observeMetadata(call, options);
        const stopWatching = onAbort(options, () => call.cancel());
        source.send(call);
      });
      if (answer instanceof Error && source.failure) throw source.failure.error;
      if (received) await received.finish({ method, deadlineAtMs, options });
      if (answer instanceof Error) throw receivedError(answer, method, options, deadlineAtMs);
      return answer;
    } finally {
      source.stop();
    }
  };
}

export function bidiStreamingMethod(calls: ClientCalls, method: MethodInfo) {
  const { path, encode, decode } = codecOf(method, calls.maxRequestBytes);
  return (requests: Many<Init>, options: StreamCallOptions = {}) => {
    const source = openRequestSource(requests, encode);
    // Needed if the reader stops before the first response: then no call is made.
    options.readerSignal?.addEventListener('abort', source.stop);
    const open = async () => {
      const { metadata, deadlineAtMs } = await prepare(calls, method, options);
      requireOpen(calls, method);
      const grpcOptions = { deadline: deadlineAtMs };
      const call = calls.grpc.makeBidiStreamRequest(path, encoded, decode, metadata, grpcOptions);
      source.send(call);
      return { call, deadlineAtMs };
    };
    return responsesOf(method, options, open, source);
  };
}

interface OpenedStream {
  readonly call: ClientReadableStream<Message>;
  readonly deadlineAtMs: number;
}

/** Returns the responses of a call, which `open` makes when the first one is read. */
async function* responsesOf(
  method: MethodInfo,
  options: StreamCallOptions,
  open: () => Promise<OpenedStream>,
  source?: RequestSource,
): AsyncGenerator<Message, void> {
  let close = () => {};
  let deadlineAtMs = Number.POSITIVE_INFINITY;
  let received: ReceivedMetadata | undefined;
  let failure: RpcError | undefined;
  try {
    const opened = await open();
    const { call } = opened;
    deadlineAtMs = opened.deadlineAtMs;
    recordAttempts(call, method);
    // An error of a cancelled stream would end the process without a listener, even after the loop has ended.
    call.on('error', () => {});
    received = observeMetadata(call, options);
    const stopWatching = onAbort(options, () => call.cancel());
    close = () => {
      stopWatching();
      // Neither leaving the loop nor destroying the stream cancels the call on the server.
      call.cancel();
    };
    yield* call as AsyncIterable<Message>;
  } catch (error) {
    if (options.readerSignal?.aborted) return;
    if (source?.failure) throw source.failure.error;
    failure = error instanceof RpcError ? error : receivedError(error, method, options, deadlineAtMs);
  } finally {
    source?.stop();
    close();
  }
  if (received) await received.finish({ method, deadlineAtMs, options });
  if (failure) throw failure;
}

/** Returns the deadline and the metadata of a call, with its token. */
async function prepare(calls: ClientCalls, method: MethodInfo, options: StreamCallOptions) {
  const deadlineAtMs = outgoingDeadlineAtMs(method, options);
  requireValidMetadata(method, options, calls.noAuthorization);
  const token = calls.token && (await tokenFor(method, calls.token, deadlineAtMs, options));
  const metadata = outgoingMetadata(method, options, token);
  if (options.waitForReady) metadata.setOptions({ waitForReady: true });
  if (hasResponseStream(method.desc)) setStreamMarker(metadata);
  return { deadlineAtMs, metadata };
}

/**
 * Must be called immediately before the call is made: grpc-js throws if the channel is closed.
 *
 * @throws RpcError FAILED_PRECONDITION, which no caller retries, for a client that has been disposed.
 */
function requireOpen({ grpc }: ClientCalls, { name }: MethodInfo): void {
  if (grpc.getChannel().getConnectivityState(false) !== connectivityState.SHUTDOWN) return;
  throw new RpcError(Code.FAILED_PRECONDITION, `cannot call ${name}: the client has been disposed`, {
    calledMethod: name,
  });
}
