import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { root } from '@acme/dev/repository';
import { freePort } from '@acme/dev/start';
import { openTemporaryFolder } from '../harness/temporary-folder.ts';

/** A kind of pooler that the services run behind, in transaction mode. */
export interface PoolerKind {
  readonly name: string;
  /** Release of Debian whose package is used. */
  readonly debian: 'bookworm' | 'trixie';
  /** PgBouncer's `max_prepared_statements`. Undefined for a version that does not know it. */
  readonly maxPreparedStatements: number | undefined;
}

/** Debian 13's PgBouncer with prepared statements. */
export const preparingPooler: PoolerKind = {
  name: '1.24 with prepared statements',
  debian: 'trixie',
  maxPreparedStatements: 200,
};

/** Debian 13's PgBouncer with and without prepared statements, and Debian 12's, which supports none. */
export const poolerKinds: readonly PoolerKind[] = [
  preparingPooler,
  { name: '1.24 without prepared statements', debian: 'trixie', maxPreparedStatements: 0 },
  { name: '1.18', debian: 'bookworm', maxPreparedStatements: undefined },
];

export interface Pgbouncer extends AsyncDisposable {
  /** Returns the pooler's URL of a database of the server. */
  urlOf(directUrl: string): string;
  /** Kills it, which ends all connections, and starts it again on the same port. */
  restart(): Promise<void>;
}

/** Long enough for a busy machine. */
const startTimeoutMs = 30_000;
const pollMs = 20;

/**
 * Starts a PgBouncer on 127.0.0.1 in front of all databases of a server.
 *
 * @param serverUrl URL of any database of the server. Its role is that of all server connections.
 * @param poolSize Server connections of each database.
 * @throws Error when the package cannot be unpacked, or PgBouncer does not start.
 */
export async function startPgbouncer(
  kind: PoolerKind,
  serverUrl: string,
  poolSize: number,
): Promise<Pgbouncer> {
  await using starting = new AsyncDisposableStack();
  const folder = starting.use(await openTemporaryFolder('pgbouncer-'));
  const port = await freePort();
  const configFile = join(folder.path, 'pgbouncer.ini');
  await writeFile(configFile, configOf(kind, new URL(serverUrl), { port, poolSize }));
  const program = join(installPgbouncer(kind.debian), 'pgbouncer');
  let server = await run(program, configFile, port);
  starting.defer(() => stop(server));
  const running = starting.move();
  return {
    urlOf: (directUrl) => {
      const url = new URL(directUrl);
      url.port = String(port);
      return url.href;
    },
    restart: async () => {
      await stop(server);
      server = await run(program, configFile, port);
    },
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

/** Runs PgBouncer. Resolves when its port accepts connections. */
async function run(program: string, configFile: string, port: number): Promise<ChildProcess> {
  const server = spawn(program, ['-q', configFile], { stdio: ['ignore', 'ignore', 'pipe'] });
  let log = '';
  server.stderr.on('data', (chunk) => {
    log = `${log}${chunk}`.slice(-10_000);
  });
  if (await becomesReady(server, port)) return server;
  await stop(server);
  throw new Error(`PgBouncer did not start: ${log}`);
}

/** Unpacks the package, unless an earlier run has, and returns the folder of the program. */
export function installPgbouncer(debian: PoolerKind['debian']): string {
  const { status, stdout } = spawnSync(join(root, '.ci/install-pgbouncer'), [debian], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  if (status !== 0) throw new Error(`.ci/install-pgbouncer ${debian} failed`);
  return stdout.trim();
}

function configOf(
  { maxPreparedStatements }: PoolerKind,
  server: URL,
  { port, poolSize }: { readonly port: number; readonly poolSize: number },
): string {
  const { hostname, username, password } = server;
  const settings = {
    listen_addr: '127.0.0.1',
    listen_port: port,
    unix_socket_dir: '',
    // The configuration names the role of the server connections.
    auth_type: 'any',
    pool_mode: 'transaction',
    default_pool_size: poolSize,
    max_client_conn: 500,
    // As deploy/kubernetes/components/cloudnative-pg/pooler.yaml.
    query_wait_timeout: 8,
    server_login_retry: 1,
    ...(maxPreparedStatements !== undefined && { max_prepared_statements: maxPreparedStatements }),
    // PgBouncer does not run as root, and changes to this user.
    ...(process.getuid?.() === 0 && { user: 'nobody' }),
  };
  return [
    '[databases]',
    `* = host=${hostname} port=${server.port} user=${username} password=${decodeURIComponent(password)}`,
    '[pgbouncer]',
    ...Object.entries(settings).map(([name, value]) => `${name} = ${value}`),
    '',
  ].join('\n');
}

/** Resolves to whether the port accepts connections. The process has ended, or is too slow, otherwise. */
async function becomesReady(server: ChildProcess, port: number): Promise<boolean> {
  const deadlineMs = performance.now() + startTimeoutMs;
  while (!hasEnded(server) && performance.now() < deadlineMs) {
    const socket = connect(port, '127.0.0.1');
    try {
      await once(socket, 'connect');
      return true;
    } catch {
      await sleep(pollMs);
    } finally {
      socket.destroy();
    }
  }
  return false;
}

/** Stops it at once. SIGTERM would wait for the clients. */
async function stop(server: ChildProcess): Promise<void> {
  if (hasEnded(server)) return;
  const ended = once(server, 'exit');
  server.kill('SIGKILL');
  await ended;
}

function hasEnded({ pid, exitCode, signalCode }: ChildProcess): boolean {
  return pid === undefined || exitCode !== null || signalCode !== null;
}
