import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

export type DataFolderLock = { release(): void };

/**
 * Takes the folder for this process. Throws when another one has it.
 *
 * The lock is SQLite's, because that is a lock of the kernel's (fcntl) and Node offers no other: it ends with the
 * process however that ends, so there are no stale ones to judge by a process id, which may since belong to
 * somebody else, or to another container that shares the folder.
 */
export function lockDataFolder(folder: string): DataFolderLock {
  const pidFile = join(folder, 'lock.pid');
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(join(folder, 'lock'));
    // Without this every lock would leave a journal file beside it.
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
      `cannot write the lock in ${folder}: give yourself the files in it, or use another data folder`,
      {
        cause: error,
      },
    );
  }
}

function isLocked(error: unknown): boolean {
  const SQLITE_BUSY = 5;
  return error instanceof Error && 'errcode' in error && error.errcode === SQLITE_BUSY;
}

function readPid(pidFile: string): string {
  try {
    return readFileSync(pidFile, 'utf8');
  } catch {
    return '(unknown)';
  }
}
