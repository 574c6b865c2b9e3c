import type { handleUnaryCall, StatusObject } from '@grpc/grpc-js';
import { runInCall, type ServedMethod } from '../call/call-context.ts';
import type { Handler } from '../call/handler.ts';
import { hasResponseStream } from '../call/method-kind.ts';
import { encodeResponse } from '../incoming/encode-response.ts';
import type { ServerCallOptions } from '../incoming/incoming-call.ts';
import type { GrpcCall } from './grpc-call.ts';
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
): handleUnaryCall<GrpcCall, Uint8Array> {
  const { output } = method.desc;
  const isStream = hasResponseStream(method.desc);
  return async (surface, callback): Promise<void> => {
    const { request: grpcCall } = surface;
    if (rejectNonGrpc(grpcCall)) return;
    const call = new GrpcServerCall(method, surface, options);
    let request: ReturnType<typeof openRequest> | undefined;
    call.request = () => (request ??= openRequest(method, grpcCall, call));
    let answer: Uint8Array | undefined;
    if (isStream) {
      const write = createMessageWriter(call);
      call.respond = async (response) => write(encodeResponse(output, response, options.maxResponseBytes));
    }
    // Sent when the chain has ended: an interceptor may still fail the call.
    else
      call.respond = async (response) => {
        answer = encodeResponse(output, response, options.maxResponseBytes);
      };
    const failure = await failureOf(call, chain);
    if (failure) {
      callback(failure);
      return;
    }
    grpcCall.trailers = call.takeTrailers();
    if (answer) call.holdAnswer(answer);
    callback(null, answer);
  };
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
