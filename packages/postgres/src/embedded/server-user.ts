import { execFileSync } from 'node:child_process';
import { stat } from 'node:fs/promises';
import { dirname } from 'node:path';

/** Another user than this process's, as which the server runs. */
export interface ServerUser {
  readonly uid: number;
  readonly gid: number;
}

/**
 * Returns `nobody`, who owns nothing else, if this process runs as root, because PostgreSQL does not run as root. Returns
 * undefined if the server runs as the user of this process.
 */
export function serverUser(): ServerUser | undefined {
  if (process.getuid?.() !== 0) return undefined;
  return { uid: idOfNobody('-u'), gid: idOfNobody('-g') };
}

function idOfNobody(flag: '-u' | '-g'): number {
  try {
    // macOS prints -2 as 4294967294, and spawn expects a signed 32-bit number.
    return Number(execFileSync('id', [flag, 'nobody'], { encoding: 'utf8', stdio: 'pipe' })) | 0;
  } catch {
    throw new Error('PostgreSQL does not run as root, and there is no user nobody: run this as another user');
  }
}

/** Returns the first folder on the way to `path`, itself included, that `user` cannot enter. */
export async function firstInaccessibleFolder(
  path: string,
  user: ServerUser | undefined,
): Promise<string | undefined> {
  if (user === undefined) return undefined;
  const parent = dirname(path);
  const above = parent === path ? undefined : await firstInaccessibleFolder(parent, user);
  if (above !== undefined) return above;
  const { uid, gid, mode } = await stat(path);
  const mayEnter = uid === user.uid ? 0o100 : gid === user.gid ? 0o010 : 0o001;
  return (mode & mayEnter) === 0 ? path : undefined;
}
