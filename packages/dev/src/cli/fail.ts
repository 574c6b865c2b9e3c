import { codeName, RpcError } from '@acme/rpc/errors';

/** Prints the error as one line on stderr, and ends the process with exit code 1. */
export function fail(error: unknown): never {
  process.stderr.write(`${errorText(error)}\n`);
  process.exit(1);
}

/** Formats an error: the status code and the message of a failed call, otherwise the message. */
export function errorText(error: unknown): string {
  if (error instanceof RpcError) return `${codeName(error.code)}: ${error.message}`;
  return error instanceof Error ? error.message : String(error);
}
