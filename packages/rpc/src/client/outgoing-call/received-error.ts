import type { ServiceError } from '@grpc/grpc-js';
import type { MethodInfo } from '../../call/call-context.ts';
import { hasPassed } from '../../call/timer.ts';
import { Code, RpcError } from '../../errors/rpc-error.ts';
import { isCutOff, isDecompressionLimit } from '../../grpc-js/internals/error-texts.ts';
import { fromGrpcStatus } from '../../grpc-js/status.ts';
import { isAborted, type StreamCallOptions } from './call-options.ts';

/** Returns the error of a call that grpc-js has ended. */
export function receivedError(
  error: unknown,
  method: MethodInfo,
  options: StreamCallOptions,
  deadlineAtMs: number,
): RpcError {
  const status = error as ServiceError;
  const { code, message, details } = fromGrpcStatus(status);
  const calledMethod = method.name;
  // A server may reset the stream of an expired call, as grpc-go does, before this client's own deadline has fired.
  if (code === Code.CANCELLED && hasPassed(deadlineAtMs) && !isAborted(options))
    return new RpcError(Code.DEADLINE_EXCEEDED, 'deadline exceeded', { details, calledMethod });
  if (code === Code.RESOURCE_EXHAUSTED && isDecompressionLimit(status))
    return new RpcError(code, `${message}: see maxResponseBytes of createClient`, { details, calledMethod });
  const received = new RpcError(code, message, { details, calledMethod });
  if (code === Code.INTERNAL && isCutOff(status)) cutOff.add(received);
  return received;
}

/** Errors of responses that ended without a status. Their code is that of a defect. */
const cutOff = new WeakSet<object>();

/** Returns whether the server has ended a response without a status, so that the rest of it is missing. */
export function wasCutOff(error: RpcError): boolean {
  return cutOff.has(error);
}
