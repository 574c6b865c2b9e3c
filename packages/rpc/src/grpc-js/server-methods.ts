import { create, type DescMessage, type DescMethod, type Message, toBinary } from '@bufbuild/protobuf';
import type { ServerReadableStream, StatusObject, sendUnaryData, UntypedHandleCall } from '@grpc/grpc-js';
import { type MethodInfo, runInCall } from '../call/call-context.ts';
import type { Handler, ServerCall } from '../call/handler.ts';
import { Code, RpcError } from '../errors/rpc-error.ts';
import { maxMessageBytes } from '../limits/server-limits.ts';
import type { GrpcCall } from './grpc-call.ts';
import { encodedBytes } from './messages/encode-once.ts';
import { openRequest } from './request.ts';
import { type CallOptions, OpenServerCall, requestIdKey } from './server-call.ts';
import { writeInTurn } from './server-stream.ts';
import { toGrpcStatus } from './status.ts';

/** Whether the method is answered with one message. */
export function answersOnce({ methodKind }: DescMethod): boolean {
  return methodKind === 'unary' || methodKind === 'client_streaming';
}

/**
 * A method as grpc-js calls it when the headers have come: opens the call, runs the chain, and sends the one status
 * that comes of it, whatever is thrown. Messages are bytes up to here, so that one that cannot be decoded or encoded
 * ends inside the chain.
 */
export function grpcMethod(method: MethodInfo, chain: Handler, options: CallOptions): UntypedHandleCall {
  const { output } = method.desc;
  const open = (grpcCall: GrpcCall) => {
    const call = new OpenServerCall(method, grpcCall, options);
    let request: ReturnType<typeof openRequest> | undefined;
    call.request = () => (request ??= openRequest(method, grpcCall, call));
    return call;
  };
  if (answersOnce(method.desc))
    return async (
      requests: ServerReadableStream<Uint8Array, Uint8Array>,
      callback: sendUnaryData<Uint8Array>,
    ): Promise<void> => {
      // It is a duplex stream here too, whose other half the callback replaces.
      const call = open(requests as GrpcCall);
      let answer: Uint8Array = noBytes;
      // Held back until the chain has ended: nothing is answered OK that still fails.
      call.respond = async (response) => {
        answer = encode(output, response);
      };
      const failure = await failureOf(call, chain);
      if (failure) callback(failure);
      else {
        call.holdAnswer(answer);
        callback(null, answer);
      }
    };
  return async (grpcCall: GrpcCall): Promise<void> => {
    const call = open(grpcCall);
    const write = writeInTurn(call);
    call.respond = async (response) => write(encode(output, response));
    const failure = await failureOf(call, chain);
    // grpc-js sends an emitted error as the status; destroy(error) would send none.
    if (failure) grpcCall.emit('error', failure);
    else grpcCall.end();
  };
}

const noBytes = new Uint8Array();

/** Runs the chain. Gives the status of a call that failed. */
async function failureOf(call: OpenServerCall, chain: Handler): Promise<StatusObject | undefined> {
  let failure: StatusObject | undefined;
  try {
    await runInCall(call, chain);
  } catch (error) {
    failure = toGrpcStatus(error);
    failure.metadata.set(requestIdKey, call.requestId);
  }
  call.end(failure !== undefined);
  return failure;
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
      return async (call) => respondWith(call, await serve(await call.request(), call));
    case 'server_streaming':
    case 'bidi_streaming':
      return async (call) => {
        // Awaited: of an async function that is no generator, the rejection would be nobody's and end the process.
        for await (const response of (await serve(await call.request(), call)) as AsyncIterable<Message>)
          await respondWith(call, response);
      };
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
