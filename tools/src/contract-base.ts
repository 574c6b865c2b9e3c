import { spawnSync } from 'node:child_process';
import { root } from './paths.ts';

/**
 * The commit whose contract ours must not break: where this branch left `main`, or on `main` itself the commit before.
 * Undefined when no commit before this one has a contract.
 *
 * @throws Error in a shallow clone, which cannot tell.
 */
export function contractBase(): string | undefined {
  if (git('rev-parse', '--is-shallow-repository') === 'true')
    throw new Error('buf breaking needs the history: clone without --depth (fetch-depth: 0)');
  const head = git('rev-parse', '--verify', 'HEAD');
  const main = git('rev-parse', '--verify', 'origin/main') ?? git('rev-parse', '--verify', 'main');
  const left = head && main && git('merge-base', head, main);
  const base = left === head ? git('rev-parse', '--verify', 'HEAD^') : left;
  return base && git('cat-file', '-e', `${base}:buf.yaml`) !== undefined ? base : undefined;
}

/** What git says, undefined when it says no. */
function git(...args: string[]): string | undefined {
  const { status, stdout, error } = spawnSync('git', args, { cwd: root, encoding: 'utf8' });
  if (error) throw new Error(`git cannot be run: ${error.message}`);
  return status === 0 ? stdout.trim() : undefined;
}
