import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const script = fileURLToPath(new URL('./replica-process.ts', import.meta.url));

export interface ReplicaProcess extends AsyncDisposable {
  readonly port: number;
  /** Resolves when the first call has arrived. */
  readonly called: Promise<void>;
  /** Kills the process (SIGKILL). Resolves when it is gone. */
  kill(): Promise<void>;
  /** Pauses the process (SIGSTOP), like a hanging machine: its connections stay open. */
  pause(): void;
  /** Resumes a paused process (SIGCONT). */
  resume(): void;
}

/** Starts a replica in another process. It answers GetEcho with its name after the delay. */
export async function startReplicaProcess(
  name: string,
  { delayMs = 0, port = 0 }: { delayMs?: number; port?: number } = {},
): Promise<ReplicaProcess> {
  const child = fork(script, [name, String(delayMs), String(port)], { execArgv: [] });
  const exited = once(child, 'exit');
  const started = Promise.withResolvers<number>();
  const called = Promise.withResolvers<void>();
  child.on('message', (message: { port: number } | { called: true }) => {
    if ('port' in message) started.resolve(message.port);
    else called.resolve();
  });
  exited.then(() => started.reject(new Error('the replica did not start')));
  const kill = async () => {
    child.kill('SIGKILL');
    await exited;
  };
  return {
    port: await started.promise,
    called: called.promise,
    kill,
    pause: () => child.kill('SIGSTOP'),
    resume: () => child.kill('SIGCONT'),
    [Symbol.asyncDispose]: kill,
  };
}
