import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const execute = promisify(execFile);

/**
 * Runs one of this folder's programs in a process of its own, with nothing in its environment but what is given, and
 * gives what it printed. Rejects unless it exits with 0.
 */
export async function runNode(
  program: string,
  environment: Readonly<Record<string, string>>,
  nodeOptions: readonly string[] = [],
): Promise<{ readonly stdout: string; readonly stderr: string }> {
  const file = fileURLToPath(new URL(program, import.meta.url));
  return execute(process.execPath, [...nodeOptions, file], { env: environment });
}
