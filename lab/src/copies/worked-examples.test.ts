import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '@acme/dev/repository';
import { expect, test } from 'vitest';

const examples = readdirSync(join(root, 'docs/examples'));

// git looks for a hunk near the line where it was. Where two places match, it may change the wrong one.
test.for(examples)('each hunk of %s matches one place of its file', (example) => {
  const hunks = hunksOf(readFileSync(join(root, 'docs/examples', example), 'utf8'));
  const misplaced = hunks
    .map((hunk) => ({ ...hunk, places: placesOf(hunk.before, readFileSync(join(root, hunk.file), 'utf8')) }))
    .filter(({ places }) => places !== 1);
  expect(hunks).not.toHaveLength(0);
  expect(misplaced, 'update the example as lab/src/copies/test-guide.ts says').toEqual([]);
});

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
