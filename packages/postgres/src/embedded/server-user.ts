import { execFileSync } from 'node:child_process';
import { stat } from 'node:fs/promises';
import { dirname } from 'node:path';

/** Whom the server runs as; undefined means as ourselves. */
export type ServerUser = { uid: number; gid: number } | undefined;

/** PostgreSQL refuses to run as root, so root runs it as `nobody`, who owns nothing else. */
export function serverUser(): ServerUser {
  if (process.getuid?.() !== 0) return undefined;
  return { uid: idOfNobody('-u'), gid: idOfNobody('-g') };
}

function idOfNobody(flag: '-u' | '-g'): number {
  try {
    // macOS prints -2 as 4294967294, and spawn wants 32 bits with a sign.
    return Number(execFileSync('id', [flag, 'nobody'], { encoding: 'utf8', stdio: 'pipe' })) | 0;
  } catch {
    throw new Error(
      'PostgreSQL does not run as root, and there is no user nobody: run this as an ordinary user',
    );
  }
}

/** The first folder on the way to `path`, itself included, that `user` may not enter. */
export async function closedFolder(path: string, user: ServerUser): Promise<string | undefined> {
  if (user === undefined) return undefined;
  const parent = dirname(path);
  const above = parent === path ? undefined : await closedFolder(parent, user);
  if (above !== undefined) return above;
  const { uid, gid, mode } = await stat(path);
  const mayEnter = uid === user.uid ? 0o100 : gid === user.gid ? 0o010 : 0o001;
  return (mode & mayEnter) === 0 ? path : undefined;
}
