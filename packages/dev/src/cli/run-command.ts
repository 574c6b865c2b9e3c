import { spawnSync } from 'node:child_process';

/** Maximum size of the output of a command. Node's is 1 MiB, which the names or descriptors of a large repository exceed. */
export const maxOutputBytes = 64 * 1024 * 1024;

/**
 * Runs a command in `folder` and returns its output.
 *
 * @throws Error with the command and all of its output, when it fails or cannot be started.
 */
export function runCommand(folder: string, command: string, ...args: readonly string[]): string {
  const { status, stdout, stderr, error } = spawnSync(command, args, {
    cwd: folder,
    encoding: 'utf8',
    maxBuffer: maxOutputBytes,
  });
  if (status === 0) return stdout.trimEnd();
  throw new Error(`${command} ${args.join(' ')}: ${error?.message ?? `${stdout}${stderr}`}`);
}
