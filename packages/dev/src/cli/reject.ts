/** Prints what is wrong with a command line as one line on stderr, and ends the process with exit code 2. */
export function reject(problem: string): never {
  process.stderr.write(`${problem}\n`);
  process.exit(2);
}
