import { existsSync } from 'node:fs';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { lockDataFolder } from '../embedded/data-folder-lock.ts';
import { startEmbedded } from '../embedded/embedded.ts';
import { stopOrphanedServer } from '../embedded/orphaned-server.ts';
import { queryOnce } from './query-once.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** The superuser's URL of the server that all tests share; see `createTestDatabase`. */
    postgresUrl: string;
  }
}

const folderPrefix = 'acme-test-postgres-';

/** Starts one real server in a temporary folder for the whole run. This is vitest's globalSetup. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  await removeLeftovers();
  const folder = await mkdtemp(join(tmpdir(), folderPrefix));
  const embedded = await startEmbedded({ dataFolder: folder });
  const url = embedded.url('postgres');
  // The data need not outlive the run, and a slow disk must not delay a test past the deadline of a call.
  await queryOnce(url, 'ALTER SYSTEM SET fsync = off');
  await queryOnce(url, 'SELECT pg_reload_conf()');
  project.provide('postgresUrl', url);
  return async () => {
    await embedded.close();
    await rm(folder, { recursive: true, force: true });
  };
}

/** Removes servers and folders of runs that were killed before their teardown. The folder of a live run is locked. */
async function removeLeftovers(): Promise<void> {
  for (const name of await readdir(tmpdir())) {
    const folder = join(tmpdir(), name);
    // Without this file another run may be about to lock the folder.
    if (!name.startsWith(folderPrefix) || !existsSync(join(folder, 'lock.pid'))) continue;
    try {
      const lock = lockDataFolder(folder);
      await stopOrphanedServer(join(folder, 'pgdata'));
      await rm(folder, { recursive: true, force: true });
      lock.release();
    } catch {
      // The folder is in use, or belongs to another user.
    }
  }
}
