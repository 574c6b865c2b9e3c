import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chown, mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { initdbFailure } from '../internals/postgres-log.ts';
import type { ServerUser } from './server-user.ts';

export const superuser = 'postgres';
const majorVersion = '18';
const initdbTimeoutMs = 120_000;
const unfinishedPrefix = 'initdb-';

/**
 * Creates a cluster in `pgdata` unless `dataFolder` has one, and returns the superuser's password from the file beside it.
 * Only `pgdata` belongs to the server's user, who cannot read the password, the lock and the log. initdb works in a
 * temporary folder that is renamed when it is complete, so a killed initdb leaves no incomplete cluster.
 */
export async function initDataFolder(
  dataFolder: string,
  binaries: string,
  user: ServerUser | undefined,
): Promise<{ pgdata: string; password: string }> {
  const pgdata = join(dataFolder, 'pgdata');
  const passwordFile = join(dataFolder, 'password');
  const version = await readFile(join(pgdata, 'PG_VERSION'), 'utf8').catch(ignoreMissing);
  if (version === undefined) {
    await removeUnfinished(dataFolder);
    await initialise(dataFolder, binaries, user, passwordFile, pgdata);
  } else if (version.trim() !== majorVersion) {
    throw new Error(
      `${dataFolder} was made by PostgreSQL ${version.trim()}, but this is ${majorVersion}: use another data folder, or dump and restore it`,
    );
  }
  const password = await readFile(passwordFile, 'utf8').catch(ignoreMissing);
  if (password === undefined) {
    throw new Error(`${passwordFile} is missing: restore it, or remove ${dataFolder} to start with no data`);
  }
  return { pgdata, password: password.trim() };
}

function ignoreMissing(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error;
}

/** Removes unfinished folders. One that a killed process's initdb still writes to stays until the next start. */
async function removeUnfinished(dataFolder: string): Promise<void> {
  for (const name of await readdir(dataFolder)) {
    if (!name.startsWith(unfinishedPrefix)) continue;
    await rm(join(dataFolder, name), { recursive: true, force: true }).catch(() => {});
  }
}

async function initialise(
  dataFolder: string,
  binaries: string,
  user: ServerUser | undefined,
  passwordFile: string,
  pgdata: string,
): Promise<void> {
  const temporary = await mkdtemp(join(dataFolder, unfinishedPrefix));
  try {
    const password = randomBytes(24).toString('base64url');
    const passwordCopy = join(temporary, 'password');
    const cluster = join(temporary, basename(pgdata));
    await writeFile(passwordCopy, password, { mode: 0o600 });
    await mkdir(cluster, { mode: 0o700 });
    if (user !== undefined) {
      for (const path of [temporary, passwordCopy, cluster]) await chown(path, user.uid, user.gid);
    }
    await runInitdb(binaries, user, cluster, passwordCopy);
    // The password first: a cluster without its password is useless.
    await writeFile(`${passwordFile}.new`, `${password}\n`, { mode: 0o600 });
    await rename(`${passwordFile}.new`, passwordFile);
    await rename(cluster, pgdata);
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}

async function runInitdb(
  binaries: string,
  user: ServerUser | undefined,
  pgdata: string,
  passwordFile: string,
): Promise<void> {
  const args = [
    `--pgdata=${pgdata}`,
    `--username=${superuser}`,
    `--pwfile=${passwordFile}`,
    '--auth=scram-sha-256',
    // The built-in locale does not depend on the operating system's, and sorts the same everywhere.
    '--encoding=UTF8',
    '--locale=C',
    '--locale-provider=builtin',
    '--builtin-locale=C.UTF-8',
  ];
  try {
    // The server's user may be unable to enter the current folder.
    await promisify(execFile)(join(binaries, 'bin', 'initdb'), args, {
      ...user,
      cwd: '/',
      env: { LC_ALL: 'C' },
      timeout: initdbTimeoutMs,
    });
  } catch (error) {
    const { stderr, message } = error as Error & { stderr?: string };
    const reason = initdbFailure(stderr ?? '') ?? message;
    throw new Error(`PostgreSQL could not set up ${pgdata}: ${reason}`, { cause: error });
  }
}
