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
import { type CallOptions, type GrpcCall, openServerCall, requestIdKey } from './server-call.ts';
import { readMessages, writeMessage } from './server-stream.ts';
import { toGrpcStatus } from './status.ts';

type UnaryAnsweredCall =
  | ServerUnaryCall<Uint8Array, Uint8Array>
  | ServerReadableStream<Uint8Array, Uint8Array>;
type StreamAnsweredCall =
  | ServerWritableStream<Uint8Array, Uint8Array>
  | ServerDuplexStream<Uint8Array, Uint8Array>;

/** How the answer leaves: messages, and then the one status. */
interface Answer {
  readonly send: (message: Uint8Array, signal: AbortSignal) => Promise<void>;
  readonly end: () => void;
  readonly fail: (status: StatusObject) => void;
}

/**
 * A method as grpc-js calls it: opens the call, runs the chain, and sends the one status that comes of it, whatever
 * is thrown. Messages are bytes up to here, so that one that cannot be decoded or encoded ends inside the chain.
 */
export function grpcMethod(method: MethodInfo, chain: Handler, options: CallOptions): UntypedHandleCall {
  const serve = async (grpcCall: UnaryAnsweredCall | StreamAnsweredCall, answer: Answer) => {
    const call: ServerCall = openServerCall(method, grpcCall, options, {
      request: requestOf(method.desc, grpcCall, () => call.signal),
      respond: async (response) => answer.send(encode(method.desc.output, response), call.signal),
    });
    const failure = await runInCall(call, async () => chain(call)).then(() => undefined, toGrpcStatus);
    // grpc-js says 'cancelled' after every call, answered ones too: work that outlives the call must not hear that.
    const source: GrpcCall = grpcCall;
    source.removeAllListeners('cancelled');
    if (failure) {
      failure.metadata.set(requestIdKey, call.requestId);
      answer.fail(failure);
    } else answer.end();
  };
  switch (method.desc.methodKind) {
    case 'unary':
    case 'client_streaming':
      return (grpcCall: UnaryAnsweredCall, callback: sendUnaryData<Uint8Array>) =>
        void serve(grpcCall, unaryAnswer(callback));
    case 'server_streaming':
    case 'bidi_streaming':
      return (grpcCall: StreamAnsweredCall) => void serve(grpcCall, streamAnswer(grpcCall));
  }
}

/** Holds the message back until the chain has ended: nothing is answered OK that still fails. */
function unaryAnswer(callback: sendUnaryData<Uint8Array>): Answer {
  let response: Uint8Array;
  return {
    send: async (message) => {
      response = message;
    },
    end: () => callback(null, response),
    fail: (status) => callback(status),
  };
}

function streamAnswer(stream: StreamAnsweredCall): Answer {
  return {
    send: (message, signal) => writeMessage(stream, message, signal),
    end: () => stream.end(),
    // grpc-js sends an emitted error as the status; destroy(error) would send none.
    fail: (status) => stream.emit('error', status),
  };
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
  signal: () => AbortSignal,
): () => Message | AsyncIterable<Message> {
  if ('request' in grpcCall) {
    let message: Message | undefined;
    return () => (message ??= decode(method.input, grpcCall.request));
  }
  return async function* () {
    for await (const bytes of readMessages(grpcCall, signal())) yield decode(method.input, bytes);
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
