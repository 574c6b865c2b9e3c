import type { Interceptor } from '../call/handler.ts';
import { Code, RpcError } from '../errors/rpc-error.ts';

/** Limit of the header list of a call. gRPC's C-core has the same. */
const maxMetadataBytes = 16 * 1024;

/** Rejects a call with too much metadata before anything is done for it. */
export function metadataLimit(): Interceptor {
  return (next) => (call) => {
    if (call.headerListBytes > maxMetadataBytes)
      throw new RpcError(
        Code.RESOURCE_EXHAUSTED,
        `metadata takes ${call.headerListBytes} bytes, at most ${maxMetadataBytes} are allowed`,
      );
    return next(call);
  };
}
