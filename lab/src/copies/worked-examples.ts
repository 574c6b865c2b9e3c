import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '@acme/dev/repository';

/**
 * Throws an Error unless each hunk of a patch matches one place of its file. git looks for a hunk near the line where it was. Where
 * two places match, it may change the wrong one.
 */
export function requireSinglePlaces(patch: string): void {
  const misplaced = hunksOf(readFileSync(join(root, patch), 'utf8'))
    .map((hunk) => ({ ...hunk, places: placesOf(hunk.before, readFileSync(join(root, hunk.file), 'utf8')) }))
    .filter(({ places }) => places !== 1);
  if (misplaced.length > 0)
    throw new Error(
      misplaced.map(({ file, before, places }) => `${file}: ${places} places match\n${before}`).join('\n'),
    );
}

/** Returns the hunks that change existing files: the file, and the lines that the hunk replaces with their context. */
function hunksOf(patch: string) {
  return patch
    .split(/^diff --git /m)
    .slice(1)
    .flatMap((change) => {
      const file = change.match(/^--- a\/(.+)$/m)?.[1];
      const hunks = change.split(/^@@ -[\d,]+ \+[\d,]+ @@.*\n/m).slice(1);
      return file ? hunks.map((hunk) => ({ file, before: linesBefore(hunk) })) : [];
    });
}

function linesBefore(hunk: string): string {
  const lines = hunk.split('\n').filter((line) => /^[ -]/.test(line));
  return lines.map((line) => `${line.slice(1)}\n`).join('');
}

/** Returns how many lines of the text begin the given lines. */
function placesOf(lines: string, text: string): number {
  return [...text.matchAll(/^/gm)].filter(({ index }) => text.startsWith(lines, index)).length;
}
