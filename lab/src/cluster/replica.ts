import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { startServiceProcess } from '@acme/dev/start';
import { type FaultProxy, startFaultProxy } from '@acme/rpc/testing';
import { type PostgresProxy, startPostgresProxy } from './postgres-proxy.ts';

/** One process of a service on a fixed port, with proxies in front of it and in front of its database. It may be down. */
export interface Replica extends AsyncDisposable {
  readonly name: string;
  /** The port that the process itself listens on. */
  readonly port: number;
  /** Its port for browsers, without a proxy. */
  readonly webPort: number;
  /** The proxy that callers connect to. */
  readonly front: FaultProxy;
  /** The proxy that recognises the statements of the replica. */
  readonly statements: PostgresProxy;
  /** The proxy between `statements` and the database, or its pooler. */
  readonly databaseLink: FaultProxy;
  /** URL of the database without the proxies. */
  readonly databaseUrl: string;
  /** The variables of the process. */
  readonly environment: Readonly<Record<string, string>>;
  readonly pid: number | undefined;
  start(): Promise<void>;
  /** Sends SIGKILL and waits for the exit. */
  kill(): Promise<void>;
  /** Sends SIGTERM and waits for the exit. Returns the exit code, or the signal that ended the process. */
  terminate(): Promise<number | string | null>;
  /** Sends SIGSTOP: the process hangs, and its connections stay open. */
  pause(): void;
  /** Sends SIGCONT. */
  resume(): void;
  /** Shifts the clock of the process by this offset. Requires the preload `shifted-clock.ts`. */
  shiftClock(offsetMs: number): void;
  /** Describes an exit that the test did not cause. Undefined if there was none. */
  readonly unexpectedExit: string | undefined;
}

export interface ReplicaOptions {
  readonly name: string;
  /** Returns the module URL of the program for the next start. */
  readonly main: () => string;
  readonly port: number;
  readonly webPort: number;
  readonly databaseUrl: string;
  /** URL of the database's pooler. */
  readonly poolerUrl?: string | undefined;
  readonly environment: Readonly<Record<string, string>>;
  readonly logFile: string;
}

const startAttempts = 3;
/** Long enough for a busy machine. */
const startTimeoutMs = 60_000;

/** Starts the proxies of a replica. The process is not started. */
export async function makeReplica(options: ReplicaOptions): Promise<Replica> {
  const { name, main, port, webPort, environment, logFile } = options;
  await using made = new AsyncDisposableStack();
  const url = new URL(options.poolerUrl ?? options.databaseUrl);
  const databaseLink = made.use(await startFaultProxy({ target: url.host }));
  const statements = made.use(await startPostgresProxy({ host: '127.0.0.1', port: databaseLink.port }));
  url.port = String(statements.port);
  const front = made.use(await startFaultProxy({ target: { host: '127.0.0.1', port } }));
  const kept = made.move();

  let child: ChildProcess | undefined;
  let isWanted = false;
  let unexpectedExit: string | undefined;
  const variables = {
    ...environment,
    DATABASE_URL: url.href,
    ...(options.poolerUrl !== undefined && { DATABASE_DIRECT_URL: options.databaseUrl }),
    WEB_LISTEN_ADDRESS: `127.0.0.1:${webPort}`,
  };
  const start = async () => {
    await startServiceProcess({
      name,
      main: main(),
      listenAddress: `127.0.0.1:${port}`,
      logFile,
      environment: variables,
      startTimeoutMs,
      onSpawn: (spawned) => {
        child = spawned;
      },
    });
    isWanted = true;
    const started = child;
    started?.once('exit', (code, signal) => {
      if (isWanted && child === started) unexpectedExit ??= `${name} exited unexpectedly (${signal ?? code})`;
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
    webPort,
    front,
    statements,
    databaseLink,
    databaseUrl: options.databaseUrl,
    environment: variables,
    get pid() {
      return child && !hasEnded(child) ? child.pid : undefined;
    },
    get unexpectedExit() {
      return unexpectedExit;
    },
    start: () => withRetries(start),
    kill,
    terminate: () => end('SIGTERM'),
    pause: () => void child?.kill('SIGSTOP'),
    resume: () => void child?.kill('SIGCONT'),
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

/** A service that cannot start exits. Retries the start, as an orchestrator does. */
async function withRetries(start: () => Promise<void>): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await start();
    } catch (error) {
      if (attempt === startAttempts) throw error;
      await sleep(200 * attempt);
    }
  }
}
