import { codeName, RpcError } from '@acme/rpc/errors/rpc-error';

/** Formats an error as one line: the status code and the message of a failed call, otherwise the message. */
export function errorText(error: unknown): string {
  if (error instanceof RpcError) return `${codeName(error.code)}: ${error.message}`;
  return error instanceof Error ? error.message : String(error);
}
