import { statSync } from 'node:fs';
import { access, chmod, constants, mkdir, realpath, stat } from 'node:fs/promises';
import { createServer } from 'node:net';
import { dirname, join, resolve } from 'node:path';
import pg from 'pg';
import { postgresBinaries } from './binaries.ts';
import { dataFolderError } from './data-folder-error.ts';
import { lockDataFolder } from './data-folder-lock.ts';
import { initDataFolder, superuser } from './init-data-folder.ts';
import { stopOrphanedServer } from './orphaned-server.ts';
import { type ServerListeners, startRestartableServer } from './restartable-server.ts';
import { PortInUseError } from './server-process.ts';
import { firstInaccessibleFolder, type ServerUser, serverUser } from './server-user.ts';

/** Maximum number of free ports that are tried, each of which another process may take before the server does. */
const maxPortAttempts = 5;

export interface Embedded extends AsyncDisposable {
  readonly port: number;
  readonly logFile: string;
  readonly isRunning: boolean;
  /** Returns the URL of a database for the superuser or for `role`, which must exist. */
  url(database: string, role?: { readonly user: string; readonly password: string }): string;
  /** Creates the database unless it exists. */
  ensureDatabase(name: string): Promise<void>;
  /** Deletes the database with its data, if it exists, and ends its connections. */
  dropDatabase(name: string): Promise<void>;
  /** Sends SIGKILL to the server, and resolves when it has exited. The folder stays locked. */
  kill(): Promise<void>;
  /** Starts the server on the same port unless it runs. All committed data is there. */
  start(): Promise<void>;
  /** Rolls back open transactions, writes committed ones to disk and stops the server, within 30 s. */
  close(): Promise<void>;
}

/**
 * Starts a real PostgreSQL 18 on 127.0.0.1 with its data in `dataFolder`. The folder is created if it does not exist, and
 * is locked by this process until `close`. Any process may be killed (`kill -9`) at any time: the next start stops a server
 * that still runs, and all committed data is there.
 *
 * Throws an Error whose message is one line: the problem, its place, and the remedy.
 *
 * @param options.port Default: 0, which means any free port.
 */
export async function startEmbedded(
  options: ServerListeners & { readonly dataFolder: string; readonly port?: number },
): Promise<Embedded> {
  const user = serverUser();
  const dataFolder = await openDataFolder(resolve(options.dataFolder), user);
  const lock = lockDataFolder(dataFolder);
  try {
    const binaries = await postgresBinaries(user);
    const { pgdata, password } = await initDataFolder(dataFolder, binaries, user);
    await stopOrphanedServer(pgdata);
    const urlOn = (port: number, database: string, role = { user: superuser, password }) =>
      `postgres://${encodeURIComponent(role.user)}:${encodeURIComponent(role.password)}@127.0.0.1:${port}/${encodeURIComponent(database)}`;
    const logFile = join(dataFolder, 'postgres.log');
    const startOn = (port: number) =>
      startRestartableServer(
        { binaries, user, pgdata, port, url: urlOn(port, 'postgres'), logFile },
        options,
      );
    const { port, server } = await onFreePort(options.port ?? 0, async (port) => ({
      port,
      server: await startOn(port),
    }));
    let closing: Promise<void> | undefined;
    const close = () => {
      closing ??= server.close().finally(lock.release);
      return closing;
    };
    return {
      port,
      logFile,
      get isRunning() {
        return server.isRunning;
      },
      url: (database, role) => urlOn(port, database, role),
      ensureDatabase: (name) => ensureDatabase(urlOn(port, 'postgres'), name),
      dropDatabase: (name) => dropDatabase(urlOn(port, 'postgres'), name),
      kill: server.kill,
      start: server.start,
      close,
      [Symbol.asyncDispose]: close,
    };
  } catch (error) {
    lock.release();
    throw error;
  }
}

async function openDataFolder(path: string, user: ServerUser | undefined): Promise<string> {
  try {
    // Only the data folder itself is private. With `mkdir`'s mode, its new parents would be private too.
    await mkdir(dirname(path), { recursive: true });
    await mkdir(path, { mode: 0o700 }).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST' || !statSync(path).isDirectory()) throw error;
    });
    const folder = await realpath(path);
    await access(folder, constants.R_OK | constants.W_OK | constants.X_OK);
    // The server's user must reach its own folder inside, and must not list this one.
    if (user !== undefined) await chmod(folder, (await stat(folder)).mode | 0o011);
    const inaccessible = await firstInaccessibleFolder(folder, user);
    if (inaccessible === undefined) return folder;
    throw new Error(
      `root starts PostgreSQL as the user nobody, who cannot enter ${inaccessible}: run chmod o+x ${inaccessible}, or use another data folder than ${path}`,
    );
  } catch (error) {
    throw dataFolderError(path, error);
  }
}

/** Starts a server on `port` or, for 0, on a free one. PostgreSQL cannot choose a free port itself. */
async function onFreePort<T>(port: number, start: (port: number) => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    const free = await freePort(port);
    try {
      return await start(free);
    } catch (error) {
      if (!(error instanceof PortInUseError) || port !== 0 || attempt === maxPortAttempts) throw error;
    }
  }
}

async function freePort(port: number): Promise<number> {
  const probe = createServer();
  await new Promise<void>((listening, reject) => {
    probe.once('error', (error: NodeJS.ErrnoException) =>
      reject(
        new Error(
          `cannot listen on 127.0.0.1:${port} (${error.code}): stop the process that does, or use another port`,
        ),
      ),
    );
    probe.listen(port, '127.0.0.1', listening);
  });
  const address = probe.address();
  await new Promise((closed) => probe.close(closed));
  return typeof address === 'object' && address !== null ? address.port : port;
}

async function ensureDatabase(url: string, name: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const { rowCount } = await client.query('SELECT FROM pg_database WHERE datname = $1', [name]);
    if (rowCount === 0) await client.query(`CREATE DATABASE ${pg.escapeIdentifier(name)}`);
  } catch (error) {
    // Another process has created it meanwhile (42P04), or at the same time (23505 on its index).
    const { code } = error as { code?: string };
    if (code !== '42P04' && code !== '23505') throw error;
  } finally {
    await client.end();
  }
}

async function dropDatabase(url: string, name: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(`DROP DATABASE IF EXISTS ${pg.escapeIdentifier(name)} WITH (FORCE)`);
  } finally {
    await client.end();
  }
}
