import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { CopyOptions } from './copy-options.ts';

/** Names of this repository. */
export const template = { scope: '@acme', name: 'saturday' } as const;

/** The scope of the kit, which a copy that installs the kit keeps in the kit's names. */
const kitPackage = '/(?:rpc|postgres|dev)(?![\\w-])';

/** Returns a text of this repository with the scope and the names of the copy. */
function renamed(text: string, { scope, name, isKitVendored }: CopyOptions): string {
  const title = name.charAt(0).toUpperCase() + name.slice(1);
  const old = new RegExp(`${template.scope}${isKitVendored ? '' : `(?!${kitPackage})`}(?![\\w-])`, 'g');
  const oldTitle = template.name.charAt(0).toUpperCase() + template.name.slice(1);
  const word = template.scope.slice(1);
  return (
    text
      .replaceAll(old, scope)
      // Tarballs of the kit keep their names, `kit/acme-rpc-0.1.0.tgz`.
      .replaceAll(new RegExp(`(?<!@|kit/)\\b${word}\\b`, 'g'), name)
      .replaceAll(new RegExp(`\\b${word.charAt(0).toUpperCase()}${word.slice(1)}\\b`, 'g'), title)
      .replaceAll(template.name, name)
      .replaceAll(oldTitle, title)
  );
}

/** Renames in the texts and in the names of these files. Other files, such as pictures, stay. */
export function renameFiles(root: string, files: readonly string[], options: CopyOptions): void {
  for (const file of files) {
    const path = join(root, file);
    const bytes = readFileSync(path);
    if (bytes.includes(0)) continue;
    const text = bytes.toString('utf8');
    const changed = renamed(text, options);
    if (changed !== text) writeFileSync(path, changed);
    const newName = renamed(basename(file), options);
    if (newName !== basename(file)) renameSync(path, join(root, dirname(file), newName));
  }
}
