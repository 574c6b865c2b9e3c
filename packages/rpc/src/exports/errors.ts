// Errors: RpcError, status codes, google.rpc details.
export { fromItemStatus, toItemStatus } from '../call/item-status.ts';
export { errorInfo, preconditionFailure, resourceInfo, retryInfo } from '../errors/error-details.ts';
export { invalidArgument } from '../errors/invalid-argument.ts';
export {
  Code,
  codeName,
  type ErrorMap,
  RpcError,
  type RpcErrorOptions,
  toRpcError,
} from '../errors/rpc-error.ts';
export { transientCodes } from '../errors/status-codes.ts';
export { boundedStatus } from '../errors/status-details.ts';
