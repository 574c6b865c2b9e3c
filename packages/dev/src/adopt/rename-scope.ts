import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** The scope of this repository. A rename changes the next line too. */
export const currentScope = '@acme';

/** Replaces the current scope by another in all files, and in the links of `node_modules`. */
export function renameScope(root: string, files: readonly string[], scope: string): void {
  const pattern = new RegExp(`${currentScope}(?![\\w-])`, 'g');
  for (const file of files) {
    const path = join(root, file);
    const text = readFileSync(path, 'utf8');
    const renamed = text.replaceAll(pattern, scope);
    if (renamed !== text) writeFileSync(path, file === 'package-lock.json' ? sortedLock(renamed) : renamed);
  }
  if (scope !== currentScope)
    renameSync(join(root, 'node_modules', currentScope), join(root, 'node_modules', scope));
}

/** Sorts the packages of a lock file, as npm does. */
function sortedLock(text: string): string {
  const lock = JSON.parse(text);
  const sorted = (entries: object) =>
    Object.fromEntries(Object.entries(entries).sort(([a], [b]) => a.localeCompare(b, 'en')));
  for (const entry of Object.values<{ dependencies?: object }>(lock.packages))
    if (entry.dependencies) entry.dependencies = sorted(entry.dependencies);
  return `${JSON.stringify({ ...lock, packages: sorted(lock.packages) }, null, 2)}\n`;
}
