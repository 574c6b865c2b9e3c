import { createHash } from 'node:crypto';
import { chmod, cp, lstat, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { installedBinaries } from '../internals/embedded-postgres.ts';
import { firstInaccessibleFolder, type ServerUser } from './server-user.ts';

/**
 * Returns a folder with `bin/postgres` and `bin/initdb` that `user` can run: the installed one, or a copy of it if `user`
 * cannot enter a folder above it, such as /root.
 */
export async function postgresBinaries(user: ServerUser | undefined): Promise<string> {
  if (process.platform === 'win32')
    throw new Error('embedded PostgreSQL runs on Linux and macOS: use WSL, or the URL of a server');
  const { native, version } = await installedBinaries();
  if ((await firstInaccessibleFolder(join(native, 'bin'), user)) === undefined) return native;
  const name = createHash('sha256').update(native).digest('hex').slice(0, 12);
  return openCopy(native, join(tmpdir(), `acme-postgres-${version}-${name}`), user);
}

/**
 * Returns a copy of `native` at `copy` that all users can read and only its owner can write: root runs these binaries too,
 * not only `nobody`. The copy is made in a folder beside it and renamed, so concurrent callers get one complete copy.
 */
export async function openCopy(native: string, copy: string, user: ServerUser | undefined): Promise<string> {
  const inaccessible = await firstInaccessibleFolder(dirname(copy), user);
  if (inaccessible !== undefined) {
    throw new Error(
      `the user nobody cannot enter ${inaccessible}: run chmod o+x ${inaccessible}, or set TMPDIR to another folder`,
    );
  }
  const found = await lstat(copy).catch(() => undefined);
  if (found !== undefined) {
    if (!found.isDirectory() || found.uid !== process.getuid?.() || (found.mode & 0o022) !== 0) {
      throw new Error(`${copy} was not made by this program: remove it`);
    }
    // Programs that clean temporary folders remove single files.
    if (await holdsSameFiles(native, copy)) return copy;
    await rm(copy, { recursive: true, force: true });
  }
  const partial = await mkdtemp(`${copy}.partial-`);
  try {
    await cp(native, partial, { recursive: true, verbatimSymlinks: true });
    await openToAll(partial);
    await rename(partial, copy);
  } catch (error) {
    // A concurrent caller may have made the copy.
    const other = await lstat(copy).catch(() => undefined);
    if (other === undefined || other.uid !== process.getuid?.()) throw error;
  } finally {
    await rm(partial, { recursive: true, force: true });
  }
  return copy;
}

async function holdsSameFiles(one: string, other: string): Promise<boolean> {
  const [names, otherNames] = await Promise.all(
    [one, other].map((folder) => readdir(folder, { recursive: true })),
  );
  return names?.sort().join('\n') === otherNames?.sort().join('\n');
}

async function openToAll(folder: string): Promise<void> {
  await chmod(folder, 0o755);
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) await openToAll(path);
    else if (entry.isFile()) await chmod(path, basename(folder) === 'bin' ? 0o755 : 0o644);
  }
}
