import { once } from 'node:events';
import { connect } from 'node:net';
import { type ChannelCredentials, checkHealth } from '@acme/rpc/client';
import type { BreakerState, Command } from '../../api.ts';
import type { Breakable } from '../trouble/breakable.ts';

export interface ContainersOptions {
  /** gRPC target of all replicas: `dns:///orders:50051`. */
  readonly target: string;
  readonly credentials: ChannelCredentials | undefined;
  readonly breakers: () => Readonly<Record<string, BreakerState>>;
}

const connectTimeoutMs = 1000;
/** On a busy machine an answer takes its time. */
const healthTimeoutMs = 3000;

/** The containers of a service. The console has no socket of Docker, which would make it root of the machine. */
export function serviceContainers(
  name: string,
  { target, credentials, breakers }: ContainersOptions,
): Breakable {
  return {
    ...container('service', name, name, [
      { label: 'kill one replica', command: `docker kill $(docker compose ps --quiet ${name} | head -n 1)` },
      { label: 'kill all', command: `docker compose kill ${name}` },
      { label: 'stop all', command: `docker compose stop ${name}` },
      { label: 'pause all', command: `docker compose pause ${name}` },
      { label: 'undo', command: `docker compose unpause ${name}; docker compose start ${name}` },
    ]),
    observe: async () =>
      (await checkHealth(target, { credentials, timeoutMs: healthTimeoutMs })) ? 'up' : 'not ready',
    breakers,
  };
}

/** The container of PostgreSQL. */
export function databaseContainer(host: string, port: number): Breakable {
  return {
    ...container('database', 'PostgreSQL', host, [
      { label: 'kill', command: `docker compose kill ${host}` },
      { label: 'pause', command: `docker compose pause ${host}` },
      { label: 'undo', command: `docker compose unpause ${host}; docker compose start ${host}` },
    ]),
    observe: async () => ((await listens(host, port)) ? 'up' : 'down'),
  };
}

/** Returns a part that is broken by commands to paste, and by nothing else. */
function container(
  kind: 'service' | 'database',
  name: string,
  id: string,
  commands: readonly Command[],
): Omit<Breakable, 'observe'> {
  return {
    id: kind === 'database' ? kind : `${kind}:${id}`,
    kind,
    name,
    possible: () => [],
    act: async () => {},
    undo: async () => {},
    release: () => {},
    commands,
  };
}

async function listens(host: string, port: number): Promise<boolean> {
  const socket = connect({ host, port });
  try {
    await once(socket, 'connect', { signal: AbortSignal.timeout(connectTimeoutMs) });
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
