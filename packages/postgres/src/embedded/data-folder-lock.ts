import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

export interface DataFolderLock {
  release(): void;
}

/**
 * Locks the folder for this process. Throws when another process holds the lock.
 *
 * The lock is SQLite's, because SQLite takes a lock of the kernel (fcntl) and Node has no other way to one. The kernel
 * releases it when the process ends for any reason. A stale lock, whose process id may belong to another process or another
 * container by now, cannot exist.
 */
export function lockDataFolder(folder: string): DataFolderLock {
  const pidFile = join(folder, 'lock.pid');
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(join(folder, 'lock'));
    // The default would leave a journal file beside the lock.
    database.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE');
    writeFileSync(pidFile, String(process.pid));
    const held = database;
    return { release: () => held.close() };
  } catch (error) {
    database?.close();
    if (isLocked(error)) {
      throw new Error(
        `${folder} is in use by process ${readPid(pidFile)}: stop it, or use another data folder`,
      );
    }
    throw new Error(
      `cannot write the lock in ${folder}: make its files yours (chown), or use another data folder`,
      {
        cause: error,
      },
    );
  }
}

function isLocked(error: unknown): boolean {
  const sqliteBusy = 5;
  return error instanceof Error && 'errcode' in error && error.errcode === sqliteBusy;
}

function readPid(pidFile: string): string {
  try {
    return readFileSync(pidFile, 'utf8');
  } catch {
    return '(unknown)';
  }
}
