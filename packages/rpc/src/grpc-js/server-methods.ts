import type { ServerReadableStream, StatusObject, sendUnaryData, UntypedHandleCall } from '@grpc/grpc-js';
import { runInCall, type ServedMethod } from '../call/call-context.ts';
import type { Handler } from '../call/handler.ts';
import { hasResponseStream } from '../call/method-kind.ts';
import { Code } from '../errors/rpc-error.ts';
import { encodeResponse } from '../incoming/encode-response.ts';
import type { ServerCallOptions } from '../incoming/incoming-call.ts';
import type { GrpcCall } from './grpc-call.ts';
import { sendWireStatus } from './internals/wire-status.ts';
import { rejectNonGrpc } from './non-grpc-requests.ts';
import { openRequest } from './open-request.ts';
import { GrpcServerCall } from './server-call.ts';
import { createMessageWriter } from './server-stream.ts';
import { callStatus } from './status.ts';

/**
 * Returns the handler that grpc-js calls when the headers of a call arrive. It opens the call, runs the chain, and sends
 * exactly one status, whatever is thrown. Messages are bytes here, so that decoding and encoding errors occur inside the
 * chain.
 */
export function createMethodHandler(
  method: ServedMethod,
  chain: Handler,
  options: ServerCallOptions,
): UntypedHandleCall {
  const { output } = method.desc;
  const open = (grpcCall: GrpcCall) => {
    sendWireStatus(grpcCall);
    const call = new GrpcServerCall(method, grpcCall, options);
    let request: ReturnType<typeof openRequest> | undefined;
    call.request = () => (request ??= openRequest(method, grpcCall, call));
    return call;
  };
  if (!hasResponseStream(method.desc))
    return async (
      requests: ServerReadableStream<Uint8Array, Uint8Array>,
      callback: sendUnaryData<Uint8Array>,
    ): Promise<void> => {
      // Also a duplex stream. The callback replaces its writable half.
      const grpcCall = requests as GrpcCall;
      if (rejectNonGrpc(grpcCall)) return;
      const call = open(grpcCall);
      let answer: Uint8Array = noBytes;
      // Sent when the chain has ended: an interceptor may still fail the call.
      call.respond = async (response) => {
        answer = encodeResponse(output, response, options.maxResponseBytes);
      };
      const failure = await failureOf(call, chain);
      if (failure) callback(failure);
      else answerWith(call, answer, callback);
    };
  return async (grpcCall: GrpcCall): Promise<void> => {
    if (rejectNonGrpc(grpcCall)) return;
    const call = open(grpcCall);
    const write = createMessageWriter(call);
    call.respond = async (response) => write(encodeResponse(output, response, options.maxResponseBytes));
    const failure = await failureOf(call, chain);
    // grpc-js sends an emitted error as the status; destroy(error) would send none.
    if (failure) grpcCall.emit('error', failure);
    else grpcCall.end(call.takeTrailers());
  };
}

const noBytes = new Uint8Array();

/** Sends a single response, and OK with the trailers. */
function answerWith(call: GrpcServerCall, answer: Uint8Array, callback: sendUnaryData<Uint8Array>): void {
  const metadata = call.takeTrailers();
  if (!metadata) {
    call.holdAnswer(answer);
    callback(null, answer);
    return;
  }
  // As part of the status, because the official instrumentation drops the callback's third argument.
  const sendStatus = () => callback({ code: Code.OK, details: 'OK', metadata });
  // A rejection means that the caller is gone.
  call.write(answer).then(sendStatus, () => {});
}

/** Runs the chain, and sends the headers that it set. Returns the status of a failed call, or undefined. */
async function failureOf(call: GrpcServerCall, chain: Handler): Promise<StatusObject | undefined> {
  let failure: StatusObject | undefined;
  try {
    await runInCall(call, chain);
  } catch (error) {
    failure = callStatus(error, call);
  }
  call.flushHeaders();
  call.end(failure !== undefined);
  return failure;
}
