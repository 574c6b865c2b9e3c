import { cp, mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { root } from '@acme/dev/repository/paths';

/** A change of a source. */
export interface Edit {
  /** From the repository's folder. */
  readonly file: string;
  readonly replace: string;
  readonly with: string;
}

/** What the services consist of. */
const parts = ['gen', 'packages', 'services'];

/**
 * Copies the sources of the services to a folder that is not there yet, with these edits. Packages that come from
 * elsewhere are linked; those of the workspace are the copy's own, as real files, because Node strips no types below
 * a `node_modules`.
 */
export async function copyWorkspace(folder: string, edits: readonly Edit[]): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (const part of parts)
    await cp(join(root, part), join(folder, part), {
      recursive: true,
      filter: (path) => !path.endsWith('node_modules') && !path.endsWith('.test.ts'),
    });
  await cp(join(root, 'package.json'), join(folder, 'package.json'));
  await linkModules(join(folder, 'node_modules'));
  for (const edit of edits) {
    const path = join(folder, edit.file);
    await writeFile(path, edited(await readFile(path, 'utf8'), edit));
  }
}

/** The text with the edit made. Throws when what it replaces is not there exactly once: the edit has grown old. */
export function edited(text: string, edit: Edit): string {
  const count = text.split(edit.replace).length - 1;
  if (count !== 1)
    throw new Error(`a planted bug has grown old: ${edit.file} holds ${count} times: ${edit.replace}`);
  return text.replace(edit.replace, () => edit.with);
}

async function linkModules(modules: string): Promise<void> {
  const own = '@acme';
  const installed = join(root, 'node_modules');
  await mkdir(join(modules, own), { recursive: true });
  for (const name of await readdir(installed))
    if (name !== own && !name.startsWith('.')) await symlink(join(installed, name), join(modules, name));
  // As npm links the workspace: @acme/NAME stands for wherever its package.json is.
  for (const [name, path] of workspacePaths) await symlink(join('..', '..', path), join(modules, own, name));
}

const workspacePaths = [
  ['gen', 'gen'],
  ['rpc', 'packages/rpc'],
  ['postgres', 'packages/postgres'],
  ['orders', 'services/orders'],
  ['inventory', 'services/inventory'],
] as const;
