import { chmod, mkdtemp, mkdtempDisposable } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** As root, PostgreSQL runs as another user, who must be able to enter the folder. */
const mode = 0o711;

/** Makes a temporary folder that PostgreSQL can use. Disposal removes it. */
export async function openTemporaryFolder(
  prefix: string,
): Promise<AsyncDisposable & { readonly path: string }> {
  const folder = await mkdtempDisposable(join(tmpdir(), prefix));
  await chmod(folder.path, mode);
  return folder;
}

/** Makes a temporary folder that PostgreSQL can use, and returns its path. The caller removes it. */
export async function makeTemporaryFolder(prefix: string, parent: string = tmpdir()): Promise<string> {
  const path = await mkdtemp(join(parent, prefix));
  await chmod(path, mode);
  return path;
}
