import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** Texts of files by their paths below the repository's folder. Undefined for a file that must not exist. */
export type OutputFiles = ReadonlyMap<string, string | undefined>;

/** Writes the files, and removes those that must not exist. */
export function writeFiles(root: string, files: OutputFiles): void {
  for (const [file, text] of files) {
    const path = join(root, file);
    if (text === undefined) {
      rmSync(path, { force: true });
      continue;
    }
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  }
}

/** Returns the paths of the files that `writeFiles` would change. */
export function staleFiles(root: string, files: OutputFiles): string[] {
  const textOf = (file: string) =>
    existsSync(join(root, file)) ? readFileSync(join(root, file), 'utf8') : undefined;
  return [...files].filter(([file, text]) => textOf(file) !== text).map(([file]) => file);
}
