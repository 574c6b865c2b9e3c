import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';

/**
 * The repository's folder: the nearest one that has a `services.ts`, from the current folder upwards, or else from this file
 * upwards. The current folder if there is none.
 */
export const root =
  folderWith(['services.ts'], process.cwd()) ??
  folderWith(['services.ts'], import.meta.dirname) ??
  process.cwd();

/** Whether the repository is the template or a copy of it. Another project may use the packages too. */
export const isTemplate = existsSync(join(root, 'gen/package.json'));

/** Folder in which `npm start` keeps its database, keys and logs. */
export const defaultDataFolder = join(root, '.data');

/** Returns the nearest folder, from `folder` upwards, that has one of the files. */
export function folderWith(files: readonly string[], folder: string): string | undefined {
  if (files.some((file) => existsSync(join(folder, file)))) return folder;
  const parent = dirname(folder);
  return parent === folder ? undefined : folderWith(files, parent);
}
