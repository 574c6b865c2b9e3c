import { spawn } from 'node:child_process';
import { root } from '@acme/dev/repository/paths';

export interface RunOptions {
  /** Hears of each line of its output, while it runs. */
  readonly onLine?: (line: string) => void;
  readonly environment?: Readonly<Record<string, string>>;
  /** Ends it. */
  readonly signal?: AbortSignal;
}

/** What a command printed, on both streams, and how it ended. */
export interface Ended {
  readonly code: number | null;
  readonly output: string;
}

/** Runs a command in the repository's folder to its end, however that is. Rejects when it cannot be run, or is ended. */
export function run(
  command: string,
  args: readonly string[],
  { onLine, environment, signal }: RunOptions = {},
): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd: root,
      env: { ...process.env, ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
      signal,
    });
    let output = '';
    let unfinished = '';
    const hear = (text: string) => {
      output += text;
      const lines = (unfinished + text).split('\n');
      unfinished = lines.pop() ?? '';
      for (const line of lines) onLine?.(line);
    };
    child.stdout.setEncoding('utf8').on('data', hear);
    child.stderr.setEncoding('utf8').on('data', hear);
    let failure: Error | undefined;
    child.once('error', (error) => {
      failure = error;
    });
    // Comes after 'error' too, once it has really ended.
    child.once('close', (code) => (failure ? reject(failure) : resolve({ code, output })));
  });
}

/** Runs docker. Throws what it said when it fails. */
export async function docker(...args: string[]): Promise<string> {
  const { code, output } = await run('docker', args);
  if (code !== 0) throw new Error(`docker ${args.join(' ')} failed: ${output.trim()}`);
  return output.trim();
}

/**
 * The command of Compose: `docker compose` or `docker-compose`.
 *
 * @throws Error in one line when there is none, or no engine that answers.
 */
export async function findCompose(): Promise<readonly [command: string, ...args: string[]]> {
  const works = (command: string, ...args: string[]) =>
    run(command, args).then(
      ({ code }) => code === 0,
      () => false,
    );
  if (!(await works('docker', 'info')))
    throw new Error('no Docker engine answers: docker must be on the PATH, and docker info must work');
  if (await works('docker', 'compose', 'version')) return ['docker', 'compose'];
  if (await works('docker-compose', 'version')) return ['docker-compose'];
  throw new Error('there is no Compose: docker compose or docker-compose must work');
}
