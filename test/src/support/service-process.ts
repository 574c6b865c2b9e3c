import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/** Process that runs a service's main.ts. Disposing kills it. */
export interface ServiceProcess extends AsyncDisposable {
  /** Address that it listens on. Rejects with its stderr if it exits before that. */
  readonly target: Promise<string>;
  /** Exit code, or the signal that ended the process. */
  readonly ended: Promise<number | NodeJS.Signals | null>;
  /** Output so far. */
  stdout(): string;
  stderr(): string;
  signal(name: NodeJS.Signals): void;
}

/** Starts a service with exactly this environment. */
export function startServiceProcess(
  service: 'orders' | 'inventory',
  environment: Readonly<Record<string, string>>,
): ServiceProcess {
  const main = fileURLToPath(import.meta.resolve(`@acme/${service}/main`));
  const child = spawn(process.execPath, [main], { env: environment, stdio: ['ignore', 'pipe', 'pipe'] });
  let [stdout, stderr] = ['', ''];
  const listening = Promise.withResolvers<string>();
  child.stdout.setEncoding('utf8').on('data', (text) => {
    stdout += text;
    const port = /"port":(\d+),.*"serving"/.exec(stdout)?.[1];
    if (port) listening.resolve(`127.0.0.1:${port}`);
  });
  child.stderr.setEncoding('utf8').on('data', (text) => {
    stderr += text;
  });
  // 'close' is emitted after all output has been read.
  const ended = once(child, 'close').then(([code, signal]) => code ?? signal);
  ended.then(() => listening.reject(new Error(`${service} exited: ${stderr}`)));
  listening.promise.catch(() => {});
  return {
    target: listening.promise,
    ended,
    stdout: () => stdout,
    stderr: () => stderr,
    signal: (name) => child.kill(name),
    [Symbol.asyncDispose]: async () => {
      child.kill('SIGKILL');
      await ended;
    },
  };
}
