import type { Interceptor } from '../call/handler.ts';
import { Code, RpcError } from '../errors/rpc-error.ts';

/** Limit of a call's header list, as in gRPC's C-core. */
const maxMetadataBytes = 16 * 1024;

/** Rejects a call whose header list is over 16 KiB with RESOURCE_EXHAUSTED. */
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
