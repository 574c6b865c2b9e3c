import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { type ChannelCredentials, checkHealth } from '@acme/rpc/client';
import type { Host } from './network.ts';

export interface ReplicaOptions {
  readonly service: string;
  /** File of its main program. */
  readonly main: string;
  readonly host: Host;
  /** One of the host's addresses. */
  readonly address: string;
  readonly port: number;
  readonly environment: Readonly<Record<string, string>>;
  readonly logFile: string;
  readonly credentials: ChannelCredentials;
}

/** A process of a service on a host. */
export interface HostReplica {
  readonly service: string;
  readonly host: Host;
  readonly address: string;
  /** Starts the process. Resolves when it is SERVING. */
  start(): Promise<void>;
  /** Sends SIGTERM. Resolves to the exit code, or to the signal that ended the process. */
  terminate(): Promise<number | string>;
  /** Returns a function that returns the addresses of the callers whose calls it has served since now. */
  watchCallers(): Promise<() => Promise<ReadonlySet<string>>>;
  /** Describes an exit that was not asked for. */
  readonly unexpectedExit: string | undefined;
}

const startTimeoutMs = 60_000;
const startAttempts = 3;
const pollMs = 50;
const maxReadBytes = 1024 * 1024;
/** The line of a call that is no health check. */
const callLine = /^\{.*"method":"(?!grpc\.).*"msg":"call".*\}$/;

export function makeHostReplica(options: ReplicaOptions): HostReplica {
  const { service, main, host, address, port, environment, logFile, credentials } = options;
  const name = `${service} on ${address}`;
  const target = `${address}:${port}`;
  let child: ChildProcess | undefined;
  let isWanted = false;
  let unexpectedExit: string | undefined;
  const startOnce = async () => {
    const [command, ...args] = host.enter;
    const log = openSync(logFile, 'a');
    const started = spawn(command, [...args, process.execPath, main], {
      env: { ...process.env, ...environment, NODE_ENV: 'development', LISTEN_ADDRESS: target },
      stdio: ['ignore', log, log],
    });
    closeSync(log);
    child = started;
    isWanted = false;
    started.once('exit', (code, signal) => {
      if (isWanted && child === started) unexpectedExit ??= `${name} exited unexpectedly (${signal ?? code})`;
    });
    const deadlineMs = performance.now() + startTimeoutMs;
    while (!(await checkHealth(target, { credentials }))) {
      if (started.exitCode !== null || performance.now() > deadlineMs)
        throw new Error(`${name} did not start: see ${logFile}`);
      await sleep(pollMs);
    }
    isWanted = true;
  };
  return {
    service,
    host,
    address,
    get unexpectedExit() {
      return unexpectedExit;
    },
    start: async () => {
      for (let attempt = 1; ; attempt++)
        try {
          return await startOnce();
        } catch (error) {
          // A service that cannot start exits, and an orchestrator starts it again.
          if (attempt === startAttempts) throw error;
        }
    },
    terminate: async () => {
      isWanted = false;
      if (!child) throw new Error(`${name} was not started`);
      const exited = once(child, 'exit');
      child.kill('SIGTERM');
      const [code, signal] = await exited;
      return code ?? signal;
    },
    watchCallers: async () => {
      let { size: position } = await stat(logFile).catch(() => ({ size: 0 }));
      const callers = new Set<string>();
      return async () => {
        await using file = await open(logFile);
        const { bytesRead, buffer } = await file.read({ position, buffer: Buffer.alloc(maxReadBytes) });
        const lines = buffer.toString('utf8', 0, bytesRead).split('\n');
        // The last line is not complete.
        position += bytesRead - Buffer.byteLength(lines.pop() ?? '');
        for (const line of lines)
          if (callLine.test(line)) callers.add(String(JSON.parse(line).peer).replace(/:\d+$/, ''));
        return callers;
      };
    },
  };
}
