import { writeFileSync } from 'node:fs';
import { cp, mkdir, readdir, symlink } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { runCommand } from '@acme/dev/cli';
import { root } from '@acme/dev/repository';
import { openTemporaryFolder } from '../harness/temporary-folder.ts';

/** Folders that are not copied: installed packages, history, and results. */
const omitted = ['node_modules', '.git', '.data', 'coverage', 'dist'];

/** A copy of the repository in a temporary folder. Disposing removes it. */
export interface RepositoryCopy extends AsyncDisposable {
  readonly path: string;
  /** Commits everything, also after `.git` was made anew. */
  commit(message: string): void;
}

/**
 * Copies the repository to a temporary folder, as a git repository with one commit. The workspace's packages are copies,
 * and other installed packages are links; with `linked: false` none are installed.
 */
export async function copyRepository(linked = true): Promise<RepositoryCopy> {
  const folder = await openTemporaryFolder('repository-');
  await cp(root, folder.path, { recursive: true, filter: (path) => !omitted.includes(basename(path)) });
  if (linked) await linkPackages(folder.path);
  beginHistory(folder.path);
  return {
    path: folder.path,
    commit: (message) => commitAll(folder.path, message),
    [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
  };
}

async function linkPackages(folder: string): Promise<void> {
  const modules = join(folder, 'node_modules');
  const installed = join(root, 'node_modules');
  await mkdir(join(modules, '@acme'), { recursive: true });
  for (const name of await readdir(installed))
    if (name !== '@acme') await symlink(join(installed, name), join(modules, name));
  await cp(join(installed, '@acme'), join(modules, '@acme'), { recursive: true, verbatimSymlinks: true });
}

function beginHistory(folder: string): void {
  runCommand(folder, 'git', 'init', '--quiet', '--initial-branch=main');
  // A patch finds the files that it was made from among the objects of the original.
  const objects = resolve(root, runCommand(root, 'git', 'rev-parse', '--git-path', 'objects'));
  writeFileSync(join(folder, '.git/objects/info/alternates'), `${objects}\n`);
  commitAll(folder, 'Begin');
}

/** Commits everything as a test author, who is also that of later commits in the repository. */
function commitAll(folder: string, message: string): void {
  const git = (...args: string[]) => runCommand(folder, 'git', ...args);
  git('config', 'user.name', 'test');
  git('config', 'user.email', 'test@example.invalid');
  git('add', '--all');
  git('commit', '--quiet', '--message', message);
}
