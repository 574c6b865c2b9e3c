import { spawn } from 'node:child_process';
import { composeCommand } from '@acme/dev/check';
import { root } from '@acme/dev/repository';

export interface RunOptions {
  /** Called with each line of the output while the command runs. */
  readonly onLine?: (line: string) => void;
  readonly environment?: Readonly<Record<string, string>>;
  /** Kills the command. */
  readonly signal?: AbortSignal;
}

/** The exit code of a command, and its output on both streams. */
export interface CommandResult {
  readonly code: number | null;
  readonly output: string;
}

/** Runs a command in the repository's folder, and resolves whatever its exit code. Rejects when it cannot be started or is killed. */
export function run(
  command: string,
  args: readonly string[],
  { onLine, environment, signal }: RunOptions = {},
): Promise<CommandResult> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd: root,
      env: { ...process.env, ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
      signal,
    });
    let output = '';
    let unfinished = '';
    const append = (text: string) => {
      output += text;
      const lines = (unfinished + text).split('\n');
      unfinished = lines.pop() ?? '';
      for (const line of lines) onLine?.(line);
    };
    child.stdout.setEncoding('utf8').on('data', append);
    child.stderr.setEncoding('utf8').on('data', append);
    let failure: Error | undefined;
    child.once('error', (error) => {
      failure = error;
    });
    // Emitted after 'error' too, once the process has exited.
    child.once('close', (code) => (failure ? reject(failure) : resolve({ code, output })));
  });
}

/** Runs docker, and returns its output. Throws the output when docker fails. */
export async function docker(...args: string[]): Promise<string> {
  const { code, output } = await run('docker', args);
  if (code !== 0) throw new Error(`docker ${args.join(' ')} failed: ${output.trim()}`);
  return output.trim();
}

/**
 * Returns the command of Compose.
 *
 * @throws Error when Compose is not installed, or when no Docker engine responds.
 */
export async function findCompose(): Promise<readonly [command: string, ...args: string[]]> {
  const engine = await run('docker', ['info']).catch(() => undefined);
  if (engine?.code !== 0)
    throw new Error('no Docker engine responds: docker must be on the PATH, and docker info must succeed');
  const command = composeCommand();
  if (command) return command;
  throw new Error('Compose 2.20.3 or newer is not installed: docker compose or docker-compose must work');
}
