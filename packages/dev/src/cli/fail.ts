/** Prints the error's message to stderr, and ends the process with exit code 1. */
export function fail(error: unknown): never {
  process.stderr.write(`${error instanceof Error ? error.message : error}\n`);
  process.exit(1);
}
