import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';

/** A program of a repository, running as a process of its own. Disposing kills it. */
export interface Program extends AsyncDisposable {
  readonly child: ChildProcess;
  /** Resolves once the output holds this text, rejects when the program ends without. */
  printed(text: string): Promise<void>;
  /** Resolves when it ends well; rejects with all that it said otherwise. */
  succeeds(): Promise<void>;
  /** It ends well, and this is in its output. */
  answers(output: RegExp): Promise<void>;
  /** It ends with an error that says this. */
  fails(complaint: RegExp): Promise<void>;
}

/** Starts a JavaScript or TypeScript file of the repository in `folder`. */
export function startProgram(folder: string, file: string, ...args: string[]): Program {
  const child = spawn(process.execPath, [file, ...args], { cwd: folder });
  const said = { stdout: '', stderr: '' };
  for (const stream of ['stdout', 'stderr'] as const)
    child[stream].setEncoding('utf8').on('data', (text: string) => {
      said[stream] += text;
    });
  const closed = once(child, 'close');
  const fail = (what: string) => {
    throw new Error(`${[file, ...args].join(' ')} ${what}:\n${said.stdout}${said.stderr}`);
  };
  const ended = async (isAsWished: () => boolean, what: string) => {
    await closed;
    if (!isAsWished()) fail(what);
  };
  return {
    child,
    printed: async (text) => {
      const found = new Promise<void>((resolve) => {
        const look = () => said.stdout.includes(text) && resolve();
        child.stdout.on('data', look);
        look();
      });
      await Promise.race([
        found,
        closed.then(() => said.stdout.includes(text) || fail(`ended before "${text}"`)),
      ]);
    },
    succeeds: () => ended(() => child.exitCode === 0, 'did not end well'),
    answers: (output) =>
      ended(() => child.exitCode === 0 && output.test(said.stdout), `did not answer ${output}`),
    fails: (complaint) =>
      ended(() => child.exitCode !== 0 && complaint.test(said.stderr), `did not complain ${complaint}`),
    [Symbol.asyncDispose]: async () => {
      child.kill('SIGKILL');
      await closed;
    },
  };
}
