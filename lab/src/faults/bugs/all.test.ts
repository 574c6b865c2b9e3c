import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '@acme/dev/repository';
import { expect, test } from 'vitest';
import { allScenarios } from '../scenarios/all.ts';
import { bugsInShort, plantedBugs } from './all.ts';
import { applyEdit } from './planted-bug.ts';

const guide = readFileSync(join(root, 'docs/reliability.md'), 'utf8');

test.for(plantedBugs.map((bug) => [bug.name, bug] as const))(
  'the planted bug %s applies to the sources and names a scenario',
  ([, { edits, caughtBy }]) => {
    for (const edit of edits) {
      const text = readFileSync(join(root, edit.file), 'utf8');
      expect(applyEdit(text, edit)).not.toBe(text);
    }
    expect(allScenarios.map(({ name }) => name)).toContain(caughtBy);
  },
);

test('docs/reliability.md lists every planted bug and its scenario', () => {
  for (const { name, what, caughtBy } of plantedBugs)
    expect(guide).toContain(`| \`${name}\` | ${what} | \`${caughtBy}\` |`);
});

test('docs/reliability.md lists every scenario with its fault', () => {
  for (const { name, fault } of allScenarios) expect(guide).toContain(`| \`${name}\` | ${fault} |`);
});

test('a short run names existing bugs', () => {
  expect(plantedBugs.map(({ name }) => name)).toEqual(expect.arrayContaining(bugsInShort));
});

test('an edit replaces its text across line breaks', () => {
  const edit = { file: 'file.ts', replace: 'x = y(', with: 'z(' };
  expect(applyEdit('a;\nx\n  = y(1);', edit)).toBe('a;\nz(1);');
});

test.for([
  ['is missing', 'a = 1;'],
  ['occurs twice', 'x y; x y;'],
])('an edit whose text %s is rejected', ([, text]) => {
  const edit = { file: 'file.ts', replace: 'x y', with: 'z' };
  expect(() => applyEdit(text ?? '', edit)).toThrow('a planted bug is outdated: file.ts contains');
});

test('every scenario has a unique name', () => {
  expect(new Set(allScenarios.map(({ name }) => name)).size).toBe(allScenarios.length);
});
