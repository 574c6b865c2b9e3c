import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';

/** A program of a repository that runs in a process of its own. Disposing kills it. */
export interface Program extends AsyncDisposable {
  readonly child: ChildProcess;
  /** Resolves once the output contains the text. Rejects when the program ends without it. */
  printed(text: string): Promise<void>;
  /** Resolves when the program exits with 0. Otherwise rejects with its output. */
  succeeds(): Promise<void>;
  /** Resolves when the program exits with 0 and stdout matches. */
  prints(output: RegExp): Promise<void>;
  /** Resolves when the program exits with an error code and stderr matches. */
  fails(error: RegExp): Promise<void>;
}

/** Starts a JavaScript or TypeScript file of the repository in `folder`. */
export function startProgram(folder: string, file: string, ...args: string[]): Program {
  const child = spawn(process.execPath, [file, ...args], { cwd: folder });
  const output = { stdout: '', stderr: '' };
  for (const stream of ['stdout', 'stderr'] as const)
    child[stream].setEncoding('utf8').on('data', (text: string) => {
      output[stream] += text;
    });
  const closed = once(child, 'close');
  const fail = (problem: string) => {
    throw new Error(`${[file, ...args].join(' ')} ${problem}:\n${output.stdout}${output.stderr}`);
  };
  const ended = async (isExpected: () => boolean, problem: string) => {
    await closed;
    if (!isExpected()) fail(problem);
  };
  return {
    child,
    printed: async (text) => {
      const found = new Promise<void>((resolve) => {
        const look = () => output.stdout.includes(text) && resolve();
        child.stdout.on('data', look);
        look();
      });
      await Promise.race([
        found,
        closed.then(() => output.stdout.includes(text) || fail(`ended without printing "${text}"`)),
      ]);
    },
    succeeds: () => ended(() => child.exitCode === 0, 'failed'),
    prints: (expected) =>
      ended(() => child.exitCode === 0 && expected.test(output.stdout), `did not print ${expected}`),
    fails: (error) =>
      ended(() => child.exitCode !== 0 && error.test(output.stderr), `did not fail with ${error}`),
    [Symbol.asyncDispose]: async () => {
      child.kill('SIGKILL');
      await closed;
    },
  };
}
