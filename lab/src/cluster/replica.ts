import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { startServiceProcess } from '@acme/dev/start/service-process';
import { type FaultProxy, startFaultProxy } from '@acme/rpc/testing/network/fault-proxy';
import { type PostgresProxy, startPostgresProxy } from './postgres-proxy.ts';

/** One process of a service, on a port of its own, behind proxies on all of its sides. It may be down. */
export interface Replica extends AsyncDisposable {
  readonly name: string;
  /** The port that the process itself listens on. */
  readonly port: number;
  /** What its callers call. */
  readonly front: FaultProxy;
  /** Its statements, on their way to the database. */
  readonly statements: PostgresProxy;
  /** The line that they take. */
  readonly databaseLine: FaultProxy;
  /** The database itself, past the proxies. */
  readonly databaseUrl: string;
  readonly pid: number | undefined;
  start(): Promise<void>;
  /** SIGKILL, and its end. */
  kill(): Promise<void>;
  /** SIGTERM; the exit code, or the signal that ended it. */
  terminate(): Promise<number | string | null>;
  signal(name: NodeJS.Signals): void;
  /** Tells it how far its clock is to be off, in ms. */
  shiftClock(offsetMs: number): void;
  /** How it ended when nobody had asked it to, or undefined. */
  readonly complaint: string | undefined;
}

export interface ReplicaOptions {
  readonly name: string;
  readonly main: string;
  readonly port: number;
  readonly databaseUrl: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly logFile: string;
}

const startAttempts = 3;
/** On a machine that has much else to do. */
const startTimeoutMs = 60_000;

/** Makes the replica's proxies. The process is not started. */
export async function makeReplica(options: ReplicaOptions): Promise<Replica> {
  const { name, main, port, environment, logFile } = options;
  await using made = new AsyncDisposableStack();
  const url = new URL(options.databaseUrl);
  const databaseLine = made.use(await startFaultProxy({ target: url.host }));
  const statements = made.use(await startPostgresProxy({ host: '127.0.0.1', port: databaseLine.port }));
  url.port = String(statements.port);
  const front = made.use(await startFaultProxy({ target: { host: '127.0.0.1', port } }));
  const kept = made.move();

  let child: ChildProcess | undefined;
  let isWanted = false;
  let complaint: string | undefined;
  const start = async () => {
    await startServiceProcess({
      name,
      main,
      listenAddress: `127.0.0.1:${port}`,
      logFile,
      environment: { ...environment, DATABASE_URL: url.href },
      startTimeoutMs,
      onSpawn: (spawned) => {
        child = spawned;
      },
    });
    isWanted = true;
    const started = child;
    started?.once('exit', (code, signal) => {
      if (isWanted && child === started) complaint ??= `${name} ended by itself (${signal ?? code})`;
    });
  };
  const end = async (signal: NodeJS.Signals) => {
    isWanted = false;
    if (!child || hasEnded(child)) return child?.exitCode ?? null;
    const exited = once(child, 'exit');
    child.kill(signal);
    const [code, endedBy] = await exited;
    return (code ?? endedBy) as number | string;
  };
  const kill = async () => void (await end('SIGKILL'));
  return {
    name,
    port,
    front,
    statements,
    databaseLine,
    databaseUrl: options.databaseUrl,
    get pid() {
      return child && !hasEnded(child) ? child.pid : undefined;
    },
    get complaint() {
      return complaint;
    },
    start: () => patiently(start),
    kill,
    terminate: () => end('SIGTERM'),
    signal: (signal) => void child?.kill(signal),
    shiftClock: (offsetMs) => void child?.send({ clockOffsetMs: offsetMs }),
    [Symbol.asyncDispose]: async () => {
      await kill();
      await kept.disposeAsync();
    },
  };
}

function hasEnded({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode !== null || signalCode !== null;
}

/** A service that cannot start ends, and whoever runs it starts it again. */
async function patiently(start: () => Promise<void>): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await start();
    } catch (error) {
      if (attempt === startAttempts) throw error;
      await sleep(200 * attempt);
    }
  }
}
