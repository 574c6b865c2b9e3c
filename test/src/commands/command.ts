import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '@acme/dev/repository';

const scripts: Readonly<Record<string, string>> = JSON.parse(
  readFileSync(join(root, 'package.json'), 'utf8'),
).scripts;

/** Returns whether the repository has this npm script. A copy without the lab has fewer. */
export function commandExists(name: string): boolean {
  return name in scripts;
}

/** A running command. */
export interface Command extends AsyncDisposable {
  readonly child: ChildProcess;
  /** Returns the text on stdout so far. */
  output(): string;
  /** Resolves when stdout contains this text. Rejects if the process exits without it. */
  printed(text: string): Promise<void>;
  /** Resolves with the exit code and the output when the process exits. */
  ended(): Promise<{ code: number | null; stdout: string; stderr: string }>;
}

/** Starts the npm script `name` with these arguments, without npm. Disposing kills the process. */
export function startCommand(name: string, ...args: string[]): Command {
  const [program = '', ...words] = scripts[name]?.split(' ') ?? [];
  const command = program === 'svc' ? ['node_modules/.bin/svc', ...words] : words;
  const child = spawn(process.execPath, [...command, ...args], { cwd: root });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const closed = once(child, 'close');
  return {
    child,
    output: () => stdout,
    printed: (text) =>
      new Promise((resolve, reject) => {
        const look = () => stdout.includes(text) && resolve();
        child.stdout.on('data', look);
        closed.then(() => reject(new Error(`${name} exited without printing ${text}: ${stdout}${stderr}`)));
        look();
      }),
    ended: async () => {
      await closed;
      return { code: child.exitCode, stdout, stderr };
    },
    [Symbol.asyncDispose]: async () => {
      child.kill('SIGKILL');
      await closed;
    },
  };
}

/** Runs an npm script to its end. */
export async function runCommand(name: string, ...args: string[]) {
  await using command = startCommand(name, ...args);
  return await command.ended();
}
