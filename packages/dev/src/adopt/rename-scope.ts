import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** The scope that this repository has: the next line is renamed with all others. */
export const currentScope = '@acme';

/** Writes another scope wherever the files have the current one, and links the packages under it. */
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

/** npm keeps the packages of its lock file in order. */
function sortedLock(text: string): string {
  const lock = JSON.parse(text);
  const sorted = (entries: object) =>
    Object.fromEntries(Object.entries(entries).sort(([a], [b]) => a.localeCompare(b, 'en')));
  for (const entry of Object.values<{ dependencies?: object }>(lock.packages))
    if (entry.dependencies) entry.dependencies = sorted(entry.dependencies);
  return `${JSON.stringify({ ...lock, packages: sorted(lock.packages) }, null, 2)}\n`;
}
