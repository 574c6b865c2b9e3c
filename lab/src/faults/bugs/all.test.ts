import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '@acme/dev/repository';
import { expect, test } from 'vitest';
import { applyEdit } from '../../harness/apply-edit.ts';
import { allScenarios } from '../scenarios/all.ts';
import { bugsInShort, plantedBugs } from './all.ts';

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

test('every scenario has a unique name', () => {
  expect(new Set(allScenarios.map(({ name }) => name)).size).toBe(allScenarios.length);
});
