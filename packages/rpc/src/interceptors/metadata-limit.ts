import type { Interceptor } from '../bridge/handler.ts';
import { Code, RpcError } from '../errors.ts';

/** The most metadata that a call may bring. Without a limit grpc-js takes whatever HTTP/2 lets through, 64 KiB. */
const maxMetadataBytes = 16 * 1024;

/** Refuses a call with too much metadata before anything is done for it. */
export function metadataLimit(): Interceptor {
  return (next) => (call) => {
    const sizeBytes = call.metadataSizeBytes();
    if (sizeBytes > maxMetadataBytes)
      throw new RpcError(
        Code.RESOURCE_EXHAUSTED,
        `metadata takes ${sizeBytes} bytes, at most ${maxMetadataBytes} are allowed`,
      );
    return next(call);
  };
}
