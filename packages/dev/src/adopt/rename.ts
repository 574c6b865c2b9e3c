import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { capitalised } from '../new/names/word-forms.ts';
import type { CopyOptions } from './copy-options.ts';

/** Names of this repository, which the copy replaces. */
export const original = { scope: '@acme', name: 'saturday' } as const;

/** The scope of the kit, which a copy that installs the kit keeps in the kit's names. */
const kitPackage = '/(?:rpc|postgres|dev)(?![\\w-])';

/** Returns a function that renames in a text of this repository: the scope and the names of the copy. */
function renaming({ scope, name, isKitVendored }: CopyOptions): (text: string) => string {
  const word = original.scope.slice(1);
  const kept = isKitVendored ? '' : `(?!${kitPackage})`;
  const replacements: readonly (readonly [RegExp | string, string])[] = [
    [new RegExp(`${original.scope}${kept}(?![\\w-])`, 'g'), scope],
    // Tarballs of the kit keep their names, `kit/acme-rpc-0.1.0.tgz`.
    [new RegExp(`(?<!@|kit/)\\b${word}\\b`, 'g'), name],
    [new RegExp(`\\b${capitalised(word)}\\b`, 'g'), capitalised(name)],
    [original.name, name],
    [capitalised(original.name), capitalised(name)],
  ];
  return (text) =>
    replacements.reduce((renamed, [old, replacement]) => renamed.replaceAll(old, replacement), text);
}

/** Renames in the texts and in the names of these files. Other files, such as pictures, stay. */
export function renameFiles(root: string, files: readonly string[], options: CopyOptions): void {
  const rename = renaming(options);
  for (const file of files) {
    const path = join(root, file);
    const bytes = readFileSync(path);
    if (bytes.includes(0)) continue;
    const text = bytes.toString('utf8');
    const renamed = rename(text);
    if (renamed !== text) writeFileSync(path, renamed);
    const newName = rename(basename(file));
    if (newName !== basename(file)) renameSync(path, join(root, dirname(file), newName));
  }
}
