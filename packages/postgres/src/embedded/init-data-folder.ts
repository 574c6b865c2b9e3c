import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chown, mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import type { ServerUser } from './server-user.ts';

export const SUPERUSER = 'postgres';
const MAJOR_VERSION = '18';
const INITDB_TIMEOUT_MS = 120_000;
const HALF_MADE = 'initdb-';

/**
 * Makes sure that `dataFolder` holds a cluster in `pgdata`, and gives the superuser's password, which lies beside
 * it. Only `pgdata` belongs to the server's user: the password, the lock and the log are out of its reach.
 * initdb works in a folder of its own that is renamed when whole, so one that is killed leaves nothing half made.
 */
export async function initDataFolder(
  dataFolder: string,
  binaries: string,
  user: ServerUser,
): Promise<{ pgdata: string; password: string }> {
  const pgdata = join(dataFolder, 'pgdata');
  const passwordFile = join(dataFolder, 'password');
  const version = await readFile(join(pgdata, 'PG_VERSION'), 'utf8').catch(ignoreMissing);
  if (version === undefined) {
    await removeHalfMade(dataFolder);
    await initialise(dataFolder, binaries, user, passwordFile, pgdata);
  } else if (version.trim() !== MAJOR_VERSION) {
    throw new Error(
      `${dataFolder} was made by PostgreSQL ${version.trim()}, and this is ${MAJOR_VERSION}: use another data folder, or dump and restore it`,
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

/** What cannot go now stays for the next start: the initdb that nobody waits for may still be writing there. */
async function removeHalfMade(dataFolder: string): Promise<void> {
  for (const name of await readdir(dataFolder)) {
    if (!name.startsWith(HALF_MADE)) continue;
    await rm(join(dataFolder, name), { recursive: true, force: true }).catch(() => {});
  }
}

async function initialise(
  dataFolder: string,
  binaries: string,
  user: ServerUser,
  passwordFile: string,
  pgdata: string,
): Promise<void> {
  const workshop = await mkdtemp(join(dataFolder, HALF_MADE));
  try {
    const password = randomBytes(24).toString('base64url');
    const passwordCopy = join(workshop, 'password');
    const unfinished = join(workshop, basename(pgdata));
    await writeFile(passwordCopy, password, { mode: 0o600 });
    await mkdir(unfinished, { mode: 0o700 });
    if (user !== undefined) {
      for (const path of [workshop, passwordCopy, unfinished]) await chown(path, user.uid, user.gid);
    }
    await runInitdb(binaries, user, unfinished, passwordCopy);
    // The password first: a cluster whose password nobody knows is of no use.
    await writeFile(`${passwordFile}.new`, `${password}\n`, { mode: 0o600 });
    await rename(`${passwordFile}.new`, passwordFile);
    await rename(unfinished, pgdata);
  } finally {
    await rm(workshop, { recursive: true, force: true });
  }
}

async function runInitdb(
  binaries: string,
  user: ServerUser,
  pgdata: string,
  passwordFile: string,
): Promise<void> {
  const args = [
    `--pgdata=${pgdata}`,
    `--username=${SUPERUSER}`,
    `--pwfile=${passwordFile}`,
    '--auth=scram-sha-256',
    // The built-in locale needs none of the operating system's, and sorts the same everywhere.
    '--encoding=UTF8',
    '--locale=C',
    '--locale-provider=builtin',
    '--builtin-locale=C.UTF-8',
  ];
  try {
    // With the root as its working folder, since ours may be closed to the server's user.
    await promisify(execFile)(join(binaries, 'bin', 'initdb'), args, {
      ...user,
      cwd: '/',
      env: { LC_ALL: 'C' },
      timeout: INITDB_TIMEOUT_MS,
    });
  } catch (error) {
    const { stderr, message } = error as Error & { stderr?: string };
    const reason = stderr?.split('\n').find((line) => line.startsWith('initdb: ')) ?? message;
    throw new Error(`PostgreSQL could not set up ${pgdata}: ${reason}`, { cause: error });
  }
}
