import { statSync } from 'node:fs';
import { access, chmod, constants, mkdir, realpath, stat } from 'node:fs/promises';
import { createServer } from 'node:net';
import { dirname, join, resolve } from 'node:path';
import pg from 'pg';
import { postgresBinaries } from './binaries.ts';
import { lockDataFolder } from './data-folder-lock.ts';
import { initDataFolder, SUPERUSER } from './init-data-folder.ts';
import { stopOrphanedServer } from './orphaned-server.ts';
import { startServer, stopServer } from './server-process.ts';
import { closedFolder, type ServerUser, serverUser } from './server-user.ts';

/** How often another free port is tried when somebody else took the first one before the server could. */
const PORT_ATTEMPTS = 5;

export type Embedded = {
  port: number;
  /** As the superuser, or as `role`, which must exist. */
  url(database: string, role?: { user: string; password: string }): string;
  /** Creates the database when it is not there yet. */
  ensureDatabase(name: string): Promise<void>;
  /** Rolls back what is open, writes the rest to disk and waits for the server's end, half a minute at most. */
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
};

/**
 * Starts a real PostgreSQL 18 on 127.0.0.1 with its data in `dataFolder`, which is made when new and belongs to
 * this process until `close`. Port 0, or none, is a free one. Survives `kill -9` of anything at any time: the
 * next start stops a server that was left behind, and what was committed is there.
 *
 * Throws an Error whose message is one line for a person: what is wrong, where, and what to do.
 */
export async function startEmbedded(options: { dataFolder: string; port?: number }): Promise<Embedded> {
  const user = serverUser();
  const dataFolder = await openDataFolder(resolve(options.dataFolder), user);
  const lock = lockDataFolder(dataFolder);
  try {
    const binaries = await postgresBinaries(user);
    const { pgdata, password } = await initDataFolder(dataFolder, binaries, user);
    await stopOrphanedServer(pgdata);
    const urlOn = (port: number, database: string, role = { user: SUPERUSER, password }) =>
      `postgres://${encodeURIComponent(role.user)}:${encodeURIComponent(role.password)}@127.0.0.1:${port}/${encodeURIComponent(database)}`;
    const { port, server } = await onFreePort(options.port ?? 0, async (port) => ({
      port,
      server: await startServer({
        binaries,
        user,
        pgdata,
        port,
        url: urlOn(port, 'postgres'),
        logFile: join(dataFolder, 'postgres.log'),
      }),
    }));

    // For an exit nobody planned, such as an uncaught error: a SIGINT is all that there is still time for.
    const onExit = () => server.kill('SIGINT');
    process.once('exit', onExit);
    let closing: Promise<void> | undefined;
    const close = () => {
      closing ??= stopServer(server).finally(() => {
        process.off('exit', onExit);
        lock.release();
      });
      return closing;
    };
    return {
      port,
      url: (database, role) => urlOn(port, database, role),
      ensureDatabase: (name) => ensureDatabase(urlOn(port, 'postgres'), name),
      close,
      [Symbol.asyncDispose]: close,
    };
  } catch (error) {
    lock.release();
    throw error;
  }
}

async function openDataFolder(path: string, user: ServerUser): Promise<string> {
  try {
    // Only the data folder itself is closed to others: the mode would go for every parent that is made, too.
    await mkdir(dirname(path), { recursive: true });
    await mkdir(path, { mode: 0o700 }).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST' || !statSync(path).isDirectory()) throw error;
    });
    const folder = await realpath(path);
    await access(folder, constants.R_OK | constants.W_OK | constants.X_OK);
    // The server's user must get through to its own folder inside, and needs to see nothing else of this one.
    if (user !== undefined) await chmod(folder, (await stat(folder)).mode | 0o011);
    const closed = await closedFolder(folder, user);
    if (closed === undefined) return folder;
    throw new Error(
      `the data folder ${path} lies below ${closed}, which is closed to the user nobody that PostgreSQL runs as when you are root: use another data folder, or chmod o+x ${closed}`,
    );
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST' || code === 'ENOTDIR') {
      throw new Error(`the data folder ${path} is not a folder: remove the file, or use another data folder`);
    }
    if (code === undefined) throw error;
    throw new Error(`cannot use the data folder ${path} (${code}): use one that you may write to`, {
      cause: error,
    });
  }
}

/** PostgreSQL cannot be told to choose a port, so one is chosen for it, and chosen again if that was taken since. */
async function onFreePort<T>(port: number, start: (port: number) => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    const free = await freePort(port);
    try {
      return await start(free);
    } catch (error) {
      const taken = error instanceof Error && error.message.includes('could not bind');
      if (!taken || port !== 0 || attempt === PORT_ATTEMPTS) throw error;
    }
  }
}

async function freePort(port: number): Promise<number> {
  const probe = createServer();
  await new Promise<void>((listening, reject) => {
    probe.once('error', (error: NodeJS.ErrnoException) =>
      reject(
        new Error(`cannot listen on 127.0.0.1:${port} (${error.code}): stop what does, or use another port`),
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
    // Another one made it in between: 42P04, or at the very same time: 23505 on its index.
    const { code } = error as { code?: string };
    if (code !== '42P04' && code !== '23505') throw error;
  } finally {
    await client.end();
  }
}
