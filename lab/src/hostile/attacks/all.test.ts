import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '@acme/dev/repository';
import { expect, test } from 'vitest';
import { allAttacks } from './all.ts';

test('docs/reliability.md lists every attack', () => {
  const guide = readFileSync(join(root, 'docs/reliability.md'), 'utf8');
  for (const { name, sends } of allAttacks) expect(guide).toContain(`| \`${name}\` | ${sends} |`);
});

test('every attack has a unique name', () => {
  expect(new Set(allAttacks.map(({ name }) => name)).size).toBe(allAttacks.length);
});
