import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { root } from '../repository/paths.ts';

test('Renovate updates the actions in the workflows that a copy gets', () => {
  const { 'github-actions': manager = { managerFilePatterns: [] } } = JSON.parse(
    readFileSync(join(root, 'renovate.json'), 'utf8'),
  );
  const patterns: string[] = manager.managerFilePatterns;
  const workflows = globSync('packages/dev/copy/.github/workflows/*', { cwd: root });
  expect(workflows).not.toEqual([]);
  for (const file of workflows)
    expect(
      patterns.some((pattern) => new RegExp(pattern.slice(1, -1)).test(file)),
      file,
    ).toBe(true);
});
