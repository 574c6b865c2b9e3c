/** Exit code of a program that SIGPIPE ends: 128 and its number. Node ignores the signal, and gets EPIPE. */
export const brokenPipeExitCode = 141;

const outputs = [process.stdout, process.stderr];
const exit = () => process.exit(brokenPipeExitCode);

/** Ends the process when the reader of its output ends, as `head` does, without an error message. */
export function exitWhenOutputCloses(): void {
  for (const output of outputs) output.off('error', exit).on('error', exit);
}

/** Calls `react` instead when the reader of the output ends, so that a command can stop what it started. */
export function whenOutputCloses(react: () => void): void {
  for (const output of outputs) output.off('error', exit).on('error', react);
}
