import { cp, mkdir, readdir, symlink, writeFile } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { runCommand } from '@acme/dev/cli';
import { root } from '@acme/dev/repository';
import { openTemporaryFolder } from '../harness/temporary-folder.ts';

/** Folders that are not copied: installed packages, history, and results. */
const omitted = ['node_modules', '.git', '.data', 'coverage', 'dist'];

/**
 * Copies the repository to a temporary folder, as a git repository with one commit. The workspace's packages are copies,
 * and other installed packages are links; with `linked: false` none are installed. Disposing removes it.
 */
export async function copyRepository(linked = true): Promise<AsyncDisposable & { readonly path: string }> {
  const folder = await openTemporaryFolder('repository-');
  await cp(root, folder.path, { recursive: true, filter: (path) => !omitted.includes(basename(path)) });
  if (linked) await linkPackages(folder.path);
  await commitAll(folder.path);
  return folder;
}

async function linkPackages(folder: string): Promise<void> {
  const modules = join(folder, 'node_modules');
  const installed = join(root, 'node_modules');
  await mkdir(join(modules, '@acme'), { recursive: true });
  for (const name of await readdir(installed))
    if (name !== '@acme') await symlink(join(installed, name), join(modules, name));
  await cp(join(installed, '@acme'), join(modules, '@acme'), { recursive: true, verbatimSymlinks: true });
}

async function commitAll(folder: string): Promise<void> {
  const git = (...args: string[]) => runCommand(folder, 'git', ...args);
  git('init', '--quiet', '--initial-branch=main');
  git('config', 'user.name', 'test');
  git('config', 'user.email', 'test@example.invalid');
  // A patch finds the files that it was made from among the objects of the original.
  const objects = resolve(root, runCommand(root, 'git', 'rev-parse', '--git-path', 'objects'));
  await writeFile(join(folder, '.git/objects/info/alternates'), `${objects}\n`);
  git('add', '--all');
  git('commit', '--quiet', '--message', 'Begin');
}
