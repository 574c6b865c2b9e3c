import { chown, copyFile, lstat, mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openPool } from '@acme/postgres/pool';

/** A server whose data folder can be copied. */
export interface BackedUpServer {
  /** Its folder, with `pgdata` in it. */
  readonly dataFolder: string;
  /** URL of a database for the superuser. */
  readonly url: string;
}

/** A copy of the data of a server, from which it can be restored. */
export interface BaseBackup {
  readonly folder: string;
  /** Everything that was committed before is in the backup. By `performance.now()`. */
  readonly endMs: number;
}

/** Content that PostgreSQL makes again, or that comes later (the write-ahead log). The folders themselves are kept. */
const emptied = [
  'pg_wal',
  'pg_dynshmem',
  'pg_notify',
  'pg_replslot',
  'pg_serial',
  'pg_snapshots',
  'pg_stat_tmp',
  'pg_subtrans',
];
const omitted = ['postmaster.pid', 'postmaster.opts'];

/**
 * Copies the data of a running server into `folder`, by PostgreSQL's API for base backups: its own programs for that
 * (pg_basebackup, pg_dump) are not part of the embedded server. The backup has the write-ahead log that it needs.
 */
export async function takeBackup({ dataFolder, url }: BackedUpServer, folder: string): Promise<BaseBackup> {
  const pool = openPool({ url, max: 1, applicationName: 'backup', onError: () => {} });
  // The session that starts a backup has to stop it.
  const session = await pool.connect();
  try {
    await session.query(`SELECT pg_backup_start('restore drill', fast => true)`);
    const pgdata = join(dataFolder, 'pgdata');
    await copyFolder(pgdata, folder, ({ parent, name }) =>
      parent === '' ? !omitted.includes(name) : !emptied.includes(parent.split('/')[0] ?? ''),
    );
    const endMs = performance.now();
    const { rows } = await session.query<{ labelfile: string }>(
      'SELECT labelfile FROM pg_backup_stop(wait_for_archive => false)',
    );
    await copyFolder(join(pgdata, 'pg_wal'), join(folder, 'pg_wal'), () => true);
    const label = join(folder, 'backup_label');
    await keepOwner(pgdata, label, () => writeFile(label, rows[0]?.labelfile ?? ''));
    return { folder, endMs };
  } finally {
    session.release(true);
    await pool.end();
  }
}

/** Replaces the data of a server that is down. */
export async function restoreBackup({ folder }: BaseBackup, dataFolder: string): Promise<void> {
  const pgdata = join(dataFolder, 'pgdata');
  await rm(pgdata, { recursive: true });
  await copyFolder(folder, pgdata, () => true);
}

/** Copies a folder with the owners and modes of its files, without those that are deleted meanwhile. */
async function copyFolder(
  from: string,
  to: string,
  isWanted: (entry: { readonly parent: string; readonly name: string }) => boolean,
  parent = '',
): Promise<void> {
  const source = join(from, parent);
  const target = join(to, parent);
  await keepOwner(source, target, async (mode) => void (await mkdir(target, { recursive: true, mode })));
  for (const entry of await readdir(source, { withFileTypes: true })) {
    const { name } = entry;
    if (!isWanted({ parent, name })) continue;
    const path = join(parent, name);
    if (entry.isDirectory()) await copyFolder(from, to, isWanted, path);
    else await keepOwner(join(from, path), join(to, path), () => copyFile(join(from, path), join(to, path)));
  }
}

async function keepOwner(from: string, to: string, copy: (mode: number) => Promise<void>): Promise<void> {
  try {
    const { uid, gid, mode } = await lstat(from);
    await copy(mode);
    await chown(to, uid, gid);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}
