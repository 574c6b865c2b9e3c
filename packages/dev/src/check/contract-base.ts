import { spawnSync } from 'node:child_process';
import { root } from '../repository/paths.ts';

/** A push that creates its branch names this as the commit before it. */
const noCommit = /^0+$/;

/**
 * The commit whose contract ours must not break: where this branch left `main`, or on `main` itself the commit before.
 * Undefined when no commit before this one has a contract.
 *
 * @param against what to compare with instead of `main`: CI names the branch that a pull request goes to, and the
 * commit that a push found, which may be many commits back.
 * @throws Error when it cannot tell: in a shallow clone, without a `main`, or when `against` is not there.
 */
export function contractBase(against = process.env.CONTRACT_BASE, folder = root): string | undefined {
  const git = (...args: string[]) => askGit(folder, args);
  if (git('rev-parse', '--is-shallow-repository') === 'true')
    throw new Error('buf breaking needs the history: clone without --depth (fetch-depth: 0)');
  const head = git('rev-parse', '--verify', 'HEAD');
  // Before the first commit, or copied without git: nothing was promised to anybody.
  if (!head) return undefined;
  const named = against && !noCommit.test(against) ? [against] : ['origin/main', 'main'];
  const other = named.map((name) => git('rev-parse', '--verify', `${name}^{commit}`)).find(Boolean);
  if (!other)
    throw new Error(`buf breaking compares with ${named.join(' or ')}, and git knows no such commit`);
  const left = git('merge-base', head, other);
  const base = left === head ? git('rev-parse', '--verify', 'HEAD^') : left;
  return base && isInCommit(base, 'buf.yaml', folder) ? base : undefined;
}

/** Whether the commit has a file or folder at the path. */
export function isInCommit(commit: string, path: string, folder = root): boolean {
  return askGit(folder, ['cat-file', '-e', `${commit}:${path}`]) !== undefined;
}

/** What git says, undefined when it says no. */
function askGit(folder: string, args: readonly string[]): string | undefined {
  const { status, stdout, error } = spawnSync('git', args, { cwd: folder, encoding: 'utf8' });
  if (error) throw new Error(`git cannot be run: ${error.message}`);
  return status === 0 ? stdout.trim() : undefined;
}
