import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '@acme/dev/repository/paths';
import { expect, test } from 'vitest';
import { copyRepository } from './repository-copy.ts';

/** The edits that the guide shows, one after the other. */
function editsOf(guide: string): string {
  return [...guide.matchAll(/^```diff\n(.*?)^```$/gms)].map(([, edit]) => edit).join('');
}

function run(cwd: string, command: string, args: readonly string[], input = ''): string {
  const { status, stdout, stderr, error } = spawnSync(command, args, { cwd, input, encoding: 'utf8' });
  return status === 0 ? '' : `${command} ${args.join(' ')}: ${error?.message ?? `${stdout}${stderr}`}`;
}

test('ensure the edits that the guide to the contract shows are all that a new field takes', async () => {
  await using copy = await copyRepository();
  const edits = editsOf(readFileSync(join(root, 'docs/evolve-a-contract.md'), 'utf8'));
  expect(run(copy.path, 'git', ['apply', '-'], edits)).toBe('');
  expect(run(copy.path, 'buf', ['generate'])).toBe('');
  expect(run(copy.path, 'buf', ['lint'])).toBe('');
  expect(run(copy.path, 'buf', ['breaking', '--against', root])).toBe('');
  expect(run(copy.path, 'tsc', ['--noEmit', '--project', '.'])).toBe('');
}, 120_000);
