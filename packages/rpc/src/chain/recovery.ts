import { create } from '@bufbuild/protobuf';
import type { Interceptor } from '../call/handler.ts';
import { Code, type ErrorMap, RpcError, toRpcError } from '../errors/rpc-error.ts';
import { RequestInfoSchema } from '../gen/google/rpc/error_details_pb.ts';

/**
 * Converts every error thrown below into a status. An unmapped error becomes INTERNAL `internal error` with the request
 * id, by which the cause can be found in the log. The cause itself is never sent. An INTERNAL of the service is logged,
 * and sent with its own details only.
 */
export function recovery(errorMap: ErrorMap): Interceptor {
  return (next) => async (call) => {
    try {
      await next(call);
    } catch (error) {
      const status = toRpcError(error, errorMap);
      if (status.code !== Code.INTERNAL) throw status;
      call.log.error({ err: status.cause ?? status }, 'internal error');
      const isUnmapped = status.cause === error;
      if (!isUnmapped) throw status;
      throw new RpcError(Code.INTERNAL, status.message, {
        details: [create(RequestInfoSchema, { requestId: call.requestId })],
        cause: error,
      });
    }
  };
}
