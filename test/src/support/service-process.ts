import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/** A service's main.ts, as a process of its own. Disposing kills it. */
export interface ServiceProcess extends AsyncDisposable {
  /** Where it listens. Rejects with what it said when it ends before that. */
  readonly target: Promise<string>;
  /** The exit code, or the signal that ended it. */
  readonly ended: Promise<number | NodeJS.Signals | null>;
  /** All that it has written so far. */
  stdout(): string;
  stderr(): string;
  signal(name: NodeJS.Signals): void;
}

/** Starts a service with this environment and nothing else of ours. */
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
  // 'close' comes once all that it wrote has been read.
  const ended = once(child, 'close').then(([code, signal]) => code ?? signal);
  ended.then(() => listening.reject(new Error(`${service} ended: ${stderr}`)));
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
