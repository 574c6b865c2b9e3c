import { create, type DescMethod, fromBinary, type Message, toBinary } from '@bufbuild/protobuf';
import type { ClientReadableStream, Client as GrpcClient, ServiceError } from '@grpc/grpc-js';
import type { MethodInfo } from '../../call/call-context.ts';
import { hasResponseStream } from '../../call/method-kind.ts';
import { methodPath } from '../../call/method-name.ts';
import { RpcError } from '../../errors/rpc-error.ts';
import { asBuffer } from '../../grpc-js/as-buffer.ts';
import { fromGrpcStatus } from '../../grpc-js/status.ts';
import { setStreamMarker } from '../balancing/stream-marker.ts';
import type { TokenSource } from '../credentials/token-source.ts';
import { recordAttempts } from './attempts.ts';
import { type CallOptions, onAbort, outgoingDeadlineAtMs, type StreamCallOptions } from './call-options.ts';
import { tokenFor } from './call-token.ts';
import { type NoAuthorization, outgoingMetadata, requireValidMetadata } from './outgoing-metadata.ts';
import { openRequestSource, type RequestSource } from './request-source.ts';

/** State that all calls of a client share. */
export interface ClientCalls {
  readonly grpc: GrpcClient;
  readonly token: TokenSource | undefined;
  /** Set if the caller must not send `authorization` in a call's metadata. */
  readonly noAuthorization?: NoAuthorization | undefined;
}

/** Stands for the init shape of any message. */
type Init = Message;
type Many<T> = AsyncIterable<T> | Iterable<T>;

interface Codec {
  readonly path: string;
  readonly encode: (init: Init) => Buffer;
  readonly decode: (bytes: Buffer) => Message;
}

function codecOf(method: DescMethod): Codec {
  return {
    path: methodPath(method),
    encode: (init) => asBuffer(toBinary(method.input, create(method.input, init))),
    decode: (bytes) => fromBinary(method.output, bytes),
  };
}

export function unaryMethod(calls: ClientCalls, method: MethodInfo) {
  const { path, encode, decode } = codecOf(method.desc);
  return async (request: Init, options: CallOptions = {}): Promise<Message> => {
    const { metadata, deadlineAtMs } = await prepare(calls, method, options);
    return new Promise((resolve, reject) => {
      const call = calls.grpc.makeUnaryRequest(
        path,
        encode,
        decode,
        request,
        metadata,
        { deadline: deadlineAtMs },
        (error, response) => {
          stopWatching();
          if (error) reject(receivedError(error, method));
          else resolve(response as Message);
        },
      );
      recordAttempts(call, method);
      const stopWatching = onAbort(options, () => call.cancel());
    });
  };
}

export function serverStreamingMethod(calls: ClientCalls, method: MethodInfo) {
  const { path, encode, decode } = codecOf(method.desc);
  return (request: Init, options: StreamCallOptions = {}) =>
    responsesOf(method, options, async () => {
      const { metadata, deadlineAtMs } = await prepare(calls, method, options);
      return calls.grpc.makeServerStreamRequest(path, encode, decode, request, metadata, {
        deadline: deadlineAtMs,
      });
    });
}

export function clientStreamingMethod(calls: ClientCalls, method: MethodInfo) {
  const { path, encode, decode } = codecOf(method.desc);
  return async (requests: Many<Init>, options: CallOptions = {}): Promise<Message> => {
    const source = openRequestSource(requests);
    try {
      const { metadata, deadlineAtMs } = await prepare(calls, method, options);
      return await new Promise<Message>((resolve, reject) => {
        const call = calls.grpc.makeClientStreamRequest(
          path,
          encode,
          decode,
          metadata,
          { deadline: deadlineAtMs },
          (error, response) => {
            stopWatching();
            if (error) reject(source.failure ? source.failure.error : receivedError(error, method));
            else resolve(response as Message);
          },
        );
        recordAttempts(call, method);
        call.on('error', () => {});
        const stopWatching = onAbort(options, () => call.cancel());
        source.send(call);
      });
    } finally {
      source.stop();
    }
  };
}

export function bidiStreamingMethod(calls: ClientCalls, method: MethodInfo) {
  const { path, encode, decode } = codecOf(method.desc);
  return (requests: Many<Init>, options: StreamCallOptions = {}) => {
    const source = openRequestSource(requests);
    // Needed if the reader stops before the first response: then no call is made.
    options.readerSignal?.addEventListener('abort', source.stop);
    const open = async () => {
      const { metadata, deadlineAtMs } = await prepare(calls, method, options);
      const call = calls.grpc.makeBidiStreamRequest(path, encode, decode, metadata, {
        deadline: deadlineAtMs,
      });
      source.send(call);
      return call;
    };
    return responsesOf(method, options, open, source);
  };
}

/** Returns the responses of a call, which `open` makes when the first one is read. */
async function* responsesOf(
  method: MethodInfo,
  options: StreamCallOptions,
  open: () => Promise<ClientReadableStream<Message>>,
  source?: RequestSource<Init>,
): AsyncGenerator<Message, void> {
  let close = () => {};
  try {
    const call = await open();
    recordAttempts(call, method);
    // An error of a cancelled stream would end the process without a listener, even after the loop has ended.
    call.on('error', () => {});
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
    throw error instanceof RpcError ? error : receivedError(error, method);
  } finally {
    source?.stop();
    close();
  }
}

/** Returns the deadline and the metadata of a call, with its token. */
async function prepare(calls: ClientCalls, method: MethodInfo, options: StreamCallOptions) {
  const deadlineAtMs = outgoingDeadlineAtMs(method, options);
  requireValidMetadata(method, options, calls.noAuthorization);
  const token = calls.token && (await tokenFor(method, calls.token, deadlineAtMs, options));
  const metadata = outgoingMetadata(method, options, token);
  if (hasResponseStream(method.desc)) setStreamMarker(metadata);
  return { deadlineAtMs, metadata };
}

function receivedError(error: unknown, method: MethodInfo): RpcError {
  const { code, message, details } = fromGrpcStatus(error as ServiceError);
  return new RpcError(code, message, { details, calledMethod: method.name });
}
