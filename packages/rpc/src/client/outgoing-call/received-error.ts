import type { ServiceError } from '@grpc/grpc-js';
import type { MethodInfo } from '../../call/call-context.ts';
import { hasPassed } from '../../call/timer.ts';
import { Code, RpcError } from '../../errors/rpc-error.ts';
import { isDecompressionLimit } from '../../grpc-js/internals/error-texts.ts';
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
  return new RpcError(code, message, { details, calledMethod });
}
