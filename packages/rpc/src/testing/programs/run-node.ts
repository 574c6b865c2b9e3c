import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const execute = promisify(execFile);

/**
 * Runs a program of this folder in a process with only the given environment, and returns its output. Rejects if the exit
 * code is not 0.
 */
export async function runNode(
  program: string,
  environment: Readonly<Record<string, string>>,
  nodeOptions: readonly string[] = [],
): Promise<{ readonly stdout: string; readonly stderr: string }> {
  const file = fileURLToPath(new URL(program, import.meta.url));
  return execute(process.execPath, [...nodeOptions, file], { env: environment });
}
