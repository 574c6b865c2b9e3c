import {
  create,
  type DescMessage,
  type DescMethod,
  fromBinary,
  type Message,
  toBinary,
} from '@bufbuild/protobuf';
import type {
  ServerDuplexStream,
  ServerReadableStream,
  ServerUnaryCall,
  ServerWritableStream,
  StatusObject,
  sendUnaryData,
  UntypedHandleCall,
} from '@grpc/grpc-js';
import { type MethodInfo, runInCall } from '../call-context.ts';
import { Code, RpcError } from '../errors.ts';
import { maxMessageBytes } from '../server/bounds.ts';
import { encodedBytes } from './encode-once.ts';
import type { Handler, ServerCall } from './handler.ts';
import { type CallOptions, OpenServerCall, requestIdKey } from './server-call.ts';
import { readMessages, writeMessage } from './server-stream.ts';
import { toGrpcStatus } from './status.ts';

type UnaryAnsweredCall =
  | ServerUnaryCall<Uint8Array, Uint8Array>
  | ServerReadableStream<Uint8Array, Uint8Array>;
type StreamAnsweredCall =
  | ServerWritableStream<Uint8Array, Uint8Array>
  | ServerDuplexStream<Uint8Array, Uint8Array>;

/** Sends the one status: OK without an argument, and for a unary answer the message before it. */
type End = (failure?: StatusObject) => void;

/**
 * A method as grpc-js calls it: opens the call, runs the chain, and sends the one status that comes of it, whatever
 * is thrown. Messages are bytes up to here, so that one that cannot be decoded or encoded ends inside the chain.
 */
export function grpcMethod(method: MethodInfo, chain: Handler, options: CallOptions): UntypedHandleCall {
  const serve = async (call: OpenServerCall, end: End) => {
    let failure: StatusObject | undefined;
    try {
      await runInCall(call, chain);
    } catch (error) {
      failure = toGrpcStatus(error);
      failure.metadata.set(requestIdKey, call.requestId);
    }
    call.end();
    end(failure);
  };
  switch (method.desc.methodKind) {
    case 'unary':
    case 'client_streaming':
      return (grpcCall: UnaryAnsweredCall, callback: sendUnaryData<Uint8Array>) => {
        const call = new OpenServerCall(method, grpcCall, options);
        call.request = requestOf(method.desc, grpcCall, call);
        let answer: Uint8Array;
        // Held back until the chain has ended: nothing is answered OK that still fails.
        call.respond = async (response) => {
          answer = encode(method.desc.output, response);
        };
        void serve(call, (failure) => (failure ? callback(failure) : callback(null, answer)));
      };
    case 'server_streaming':
    case 'bidi_streaming':
      return (grpcCall: StreamAnsweredCall) => {
        const call = new OpenServerCall(method, grpcCall, options);
        call.request = requestOf(method.desc, grpcCall, call);
        call.respond = async (response) =>
          writeMessage(grpcCall, encode(method.desc.output, response), call.signal);
        // grpc-js sends an emitted error as the status; destroy(error) would send none.
        void serve(call, (failure) => (failure ? grpcCall.emit('error', failure) : grpcCall.end()));
      };
  }
}

/** The innermost handler: the service's own function, called as its kind wants. */
export function dispatchTo(
  method: DescMethod,
  implementation: (request: never, call: ServerCall) => unknown,
): Handler {
  const serve = implementation as (request: Message | AsyncIterable<Message>, call: ServerCall) => unknown;
  const respondWith = (call: ServerCall, response: unknown) =>
    call.respond(create(method.output, response as Message));
  switch (method.methodKind) {
    case 'unary':
    case 'client_streaming':
      return async (call) => respondWith(call, await serve(call.request(), call));
    case 'server_streaming':
    case 'bidi_streaming':
      return async (call) => {
        // Awaited: of an async function that is no generator, the rejection would be nobody's and end the process.
        for await (const response of (await serve(call.request(), call)) as AsyncIterable<Message>)
          await respondWith(call, response);
      };
  }
}

function requestOf(
  method: DescMethod,
  grpcCall: UnaryAnsweredCall | StreamAnsweredCall,
  call: ServerCall,
): () => Message | AsyncIterable<Message> {
  if ('request' in grpcCall) {
    let message: Message | undefined;
    return () => (message ??= decode(method.input, grpcCall.request));
  }
  return async function* () {
    for await (const bytes of readMessages(grpcCall, call.signal)) yield decode(method.input, bytes);
  };
}

function decode(schema: DescMessage, bytes: Uint8Array): Message {
  try {
    return fromBinary(schema, bytes);
  } catch (cause) {
    throw new RpcError(Code.INTERNAL, `the request is no ${schema.typeName}`, { cause });
  }
}

/** grpc-js would refuse a message that is too large after the chain has ended, and logged it as OK. */
function encode(schema: DescMessage, message: Message): Uint8Array {
  const bytes = encodedBytes(message, () => toBinary(schema, message));
  if (bytes.length <= maxMessageBytes) return bytes;
  throw new RpcError(
    Code.RESOURCE_EXHAUSTED,
    `the response takes ${bytes.length} bytes, at most ${maxMessageBytes} are allowed`,
  );
}
