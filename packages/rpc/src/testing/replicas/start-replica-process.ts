import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const script = fileURLToPath(new URL('./replica-process.ts', import.meta.url));

export interface ReplicaProcess extends AsyncDisposable {
  readonly port: number;
  /** Resolves when its first call has come. */
  readonly called: Promise<void>;
  /** Ends it as the kernel would: it can say nothing more. Resolves when it is gone. */
  kill(): Promise<void>;
  /** Stops it as a machine would that hangs: its connections stay open, and nothing comes of them. */
  freeze(): void;
}

/** Starts a replica in a process of its own; it answers GetEcho with its name, after the delay. */
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
    freeze: () => child.kill('SIGSTOP'),
    [Symbol.asyncDispose]: kill,
  };
}
