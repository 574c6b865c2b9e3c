import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

/**
 * Runs a command in `folder` with further variables, and returns its stdout. Other processes of this one go on meanwhile.
 *
 * @throws Error with the command and all of its output, when it fails.
 */
export async function runIn(
  folder: string,
  environment: Readonly<Record<string, string>>,
  command: string,
  ...args: readonly string[]
): Promise<string> {
  try {
    const env = { ...process.env, ...environment };
    const { stdout } = await promisify(execFile)(command, args, {
      cwd: folder,
      env,
      maxBuffer: 64 * 1024 * 1024,
    });
    return stdout;
  } catch (error) {
    const { stdout = '', stderr = '', message } = error as Error & { stdout?: string; stderr?: string };
    throw new Error(`${command} ${args.join(' ')} failed: ${stdout}${stderr}` || message);
  }
}
