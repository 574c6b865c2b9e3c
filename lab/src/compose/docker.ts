import { spawn } from 'node:child_process';
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
 * Finds the command of Compose: `docker compose`, or `docker-compose` of version 2.
 *
 * @throws Error when there is neither, or when no Docker engine responds.
 */
export async function findCompose(): Promise<readonly [command: string, ...args: string[]]> {
  const versionOf = (command: string, ...args: string[]) =>
    run(command, args).then(
      ({ code, output }) => (code === 0 ? output : undefined),
      () => undefined,
    );
  if ((await versionOf('docker', 'info')) === undefined)
    throw new Error('no Docker engine responds: docker must be on the PATH, and docker info must succeed');
  if (await versionOf('docker', 'compose', 'version')) return ['docker', 'compose'];
  const standalone = await versionOf('docker-compose', 'version', '--short');
  // Version 1 does not know `include`.
  if (standalone && !standalone.startsWith('1.')) return ['docker-compose'];
  throw new Error('Compose 2.20.3 or newer is not installed: docker compose or docker-compose must work');
}
