import { cp, mkdir, mkdtempDisposable, readdir, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { root } from '@acme/dev/repository/paths';

/** What is not the repository's, or is found again. */
const left = ['node_modules', '.git', '.data', 'coverage'];

/**
 * A private copy of the repository, for what would change it. Its packages are its own, as the workspace's links say;
 * those of others are linked. Disposing removes it.
 */
export async function copyRepository(): Promise<AsyncDisposable & { readonly path: string }> {
  const folder = await mkdtempDisposable(join(tmpdir(), 'repository-'));
  await cp(root, folder.path, { recursive: true, filter: (path) => !left.includes(basename(path)) });
  const modules = join(folder.path, 'node_modules');
  const installed = join(root, 'node_modules');
  await mkdir(join(modules, '@acme'), { recursive: true });
  for (const name of await readdir(installed))
    if (name !== '@acme') await symlink(join(installed, name), join(modules, name));
  await cp(join(installed, '@acme'), join(modules, '@acme'), { recursive: true, verbatimSymlinks: true });
  return folder;
}
