import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The repository's folder: the nearest one, from the current folder upwards, that has a `services.ts`. */
export const root =
  folderWith('services.ts', process.cwd()) ?? fileURLToPath(new URL('../../../../', import.meta.url));

/** Folder in which `npm start` keeps its database, keys and logs. */
export const defaultDataFolder = join(root, '.data');

function folderWith(file: string, folder: string): string | undefined {
  if (existsSync(join(folder, file))) return folder;
  const parent = dirname(folder);
  return parent === folder ? undefined : folderWith(file, parent);
}
