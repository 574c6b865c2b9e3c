import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '@acme/dev/repository/paths';
import { expect, test } from 'vitest';
import { allRows } from '../scenarios/all.ts';
import { bugsInShort, plantedBugs } from './all.ts';
import { edited } from './workspace-copy.ts';

test.for(plantedBugs.map((bug) => [bug.name, bug] as const))(
  'ensure the planted bug %s is in step with the sources and the rows',
  ([, { edits, caughtBy }]) => {
    for (const edit of edits) {
      const text = readFileSync(join(root, edit.file), 'utf8');
      expect(edited(text, edit)).toContain(edit.with);
    }
    expect(allRows.map(({ name }) => name)).toContain(caughtBy);
  },
);

test('ensure docs/reliability.md lists the bugs, and what catches each', () => {
  const text = readFileSync(join(root, 'docs/reliability.md'), 'utf8');
  for (const { name, what, caughtBy } of plantedBugs)
    expect(text).toContain(`| \`${name}\` | ${what} | \`${caughtBy}\` |`);
});

test('ensure a short run tries bugs that there are', () => {
  expect(plantedBugs.map(({ name }) => name)).toEqual(expect.arrayContaining(bugsInShort));
});

test.for([
  ['is not there', 'a = 1;'],
  ['is there twice', 'x y; x y;'],
])('ensure an edit whose text %s is refused', ([, text]) => {
  const edit = { file: 'file.ts', replace: 'x y', with: 'z' };
  expect(() => edited(text ?? '', edit)).toThrow('a planted bug has grown old: file.ts holds');
});

test('ensure every row has a name of its own', () => {
  expect(new Set(allRows.map(({ name }) => name)).size).toBe(allRows.length);
});
