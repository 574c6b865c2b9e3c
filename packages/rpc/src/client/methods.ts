import { create, type DescMethod, fromBinary, type Message, toBinary } from '@bufbuild/protobuf';
import type { ClientWritableStream, Client as GrpcClient, ServiceError } from '@grpc/grpc-js';
import { asBuffer, methodPath } from '../bridge/service.ts';
import { fromGrpcStatus } from '../bridge/status.ts';
import { firstEvent } from '../bridge/stream-wait.ts';
import type { MethodInfo } from '../call-context.ts';
import { RpcError } from '../errors.ts';

import { noteAttempts } from './attempts.ts';
import { type CallOptions, onAbort, outgoingDeadline, type TokenSource } from './call-options.ts';
import { tokenFor } from './call-token.ts';
import { type NoAuthorization, outgoingMetadata, requireSendable } from './outgoing-metadata.ts';
import { markStream } from './stream-mark.ts';

/** What the calls of a client have in common. */
export interface ClientCalls {
  readonly grpc: GrpcClient;
  readonly token: TokenSource | undefined;
  /** Set when a caller may not send `authorization` in the metadata of a call. */
  readonly noAuthorization?: NoAuthorization | undefined;
}

/** Anything that protobuf-es can make a message of. */
type Init = Message;

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
    const { metadata, deadline } = await prepare(calls, method, options);
    return new Promise((resolve, reject) => {
      const call = calls.grpc.makeUnaryRequest(
        path,
        encode,
        decode,
        request,
        metadata,
        { deadline },
        (error, response) => {
          stopWatching();
          if (error) reject(received(error, method));
          else resolve(response as Message);
        },
      );
      noteAttempts(call, method);
      const stopWatching = onAbort(options, () => call.cancel());
    });
  };
}

export function serverStreamingMethod(calls: ClientCalls, method: MethodInfo) {
  const { path, encode, decode } = codecOf(method.desc);
  return async function* (request: Init, options: CallOptions = {}): AsyncGenerator<Message, void> {
    const { metadata, deadline } = await prepare(calls, method, options);
    const call = calls.grpc.makeServerStreamRequest(path, encode, decode, request, metadata, { deadline });
    noteAttempts(call, method);
    // A cancelled stream without a listener ends the process, also after the loop has been left.
    call.on('error', () => {});
    const stopWatching = onAbort(options, () => call.cancel());
    try {
      yield* call as AsyncIterable<Message>;
    } catch (error) {
      throw received(error, method);
    } finally {
      stopWatching();
      // Neither breaking out of the loop nor destroying the stream tells the server.
      call.cancel();
    }
  };
}

export function clientStreamingMethod(calls: ClientCalls, method: MethodInfo) {
  const { path, encode, decode } = codecOf(method.desc);
  return async (
    requests: AsyncIterable<Init> | Iterable<Init>,
    options: CallOptions = {},
  ): Promise<Message> => {
    const { metadata, deadline } = await prepare(calls, method, options);
    const answered = new AbortController();
    return new Promise<Message>((resolve, reject) => {
      const call = calls.grpc.makeClientStreamRequest(
        path,
        encode,
        decode,
        metadata,
        { deadline },
        (error, response) => {
          stopWatching();
          answered.abort();
          if (error) reject(received(error, method));
          else resolve(response as Message);
        },
      );
      noteAttempts(call, method);
      call.on('error', () => {});
      const stopWatching = onAbort(options, () => call.cancel());
      send(call, requests, answered.signal).catch((error: unknown) => {
        reject(error);
        call.cancel();
      });
    });
  };
}

export function bidiStreamingMethod(calls: ClientCalls, method: MethodInfo) {
  const { path, encode, decode } = codecOf(method.desc);
  return async function* (
    requests: AsyncIterable<Init> | Iterable<Init>,
    options: CallOptions = {},
  ): AsyncGenerator<Message, void> {
    const { metadata, deadline } = await prepare(calls, method, options);
    const call = calls.grpc.makeBidiStreamRequest(path, encode, decode, metadata, { deadline });
    noteAttempts(call, method);
    call.on('error', () => {});
    const stopWatching = onAbort(options, () => call.cancel());
    const answered = new AbortController();
    let sendError: unknown;
    send(call, requests, answered.signal).catch((error: unknown) => {
      sendError = error;
      call.cancel();
    });
    try {
      yield* call as unknown as AsyncIterable<Message>;
    } catch (error) {
      throw sendError ?? received(error, method);
    } finally {
      answered.abort();
      stopWatching();
      call.cancel();
    }
  };
}

/** What goes with a call of any kind: its deadline and its metadata, the token included. */
async function prepare(calls: ClientCalls, method: MethodInfo, options: CallOptions) {
  const deadline = outgoingDeadline(method, options);
  requireSendable(method, options, calls.noAuthorization);
  const token = calls.token && (await tokenFor(method, calls.token, deadline, options));
  const metadata = outgoingMetadata(method, options, token);
  if (method.desc.methodKind === 'server_streaming' || method.desc.methodKind === 'bidi_streaming')
    markStream(metadata);
  return { deadline, metadata };
}

/** Sends the requests as fast as there is room, until the call is answered. Throws what their source throws. */
async function send(
  call: ClientWritableStream<Init>,
  requests: AsyncIterable<Init> | Iterable<Init>,
  answered: AbortSignal,
): Promise<void> {
  for await (const request of requests) {
    if (answered.aborted) return;
    if (!call.write(request)) await firstEvent(call, ['drain', 'close', 'error'], answered).catch(() => {});
  }
  call.end();
}

function received(error: unknown, method: MethodInfo): RpcError {
  const { code, message, details } = fromGrpcStatus(error as ServiceError);
  return new RpcError(code, message, { details, answeredBy: method.name });
}
