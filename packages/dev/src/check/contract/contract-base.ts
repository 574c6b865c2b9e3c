import { spawnSync } from 'node:child_process';
import { maxOutputBytes } from '../../cli/run-command.ts';
import { root } from '../../repository/paths.ts';

/** For a push that creates a branch, GitHub names a commit of zeros as the one before it. */
const noCommit = /^0+$/;

/** Branches that a change is merged into, by preference. */
const mainBranches = ['origin/HEAD', 'origin/main', 'origin/master', 'main', 'master'];

/**
 * Returns the commit whose contract must not be broken: where this branch left `main`. On `main` itself it is the previous
 * commit, or the last one while the contract has changes that are not committed, so that a commit does not change the
 * verdict. Returns undefined if no earlier commit has a contract.
 *
 * @param against Commit to compare with instead of `main`. CI sets it to the base branch of a pull request, and to the
 * commit before a push, which may be many commits back.
 * @throws Error in a shallow clone, without a `main`, or when `against` does not exist.
 */
export function contractBase(against = process.env.CONTRACT_BASE, folder = root): string | undefined {
  const git = (...args: string[]) => gitOutput(folder, args);
  if (git('rev-parse', '--is-shallow-repository') === 'true')
    throw new Error('the checks of the contract need the history: clone without --depth (fetch-depth: 0)');
  const head = git('rev-parse', '--verify', 'HEAD');
  // Before the first commit, or in a copy without git, there is no earlier contract.
  if (!head) return undefined;
  const named = against && !noCommit.test(against) ? [against] : mainBranches;
  const main = named.map((name) => git('rev-parse', '--verify', `${name}^{commit}`)).find(Boolean);
  if (!main)
    throw new Error(
      `the contract is compared with ${named.join(' or ')}, which is not a commit of this repository`,
    );
  const left = git('merge-base', head, main);
  const previous = isContractChanged(folder) ? head : git('rev-parse', '--verify', 'HEAD^');
  const base = left === head ? previous : left;
  return base && hasContract(base, folder) ? base : undefined;
}

/** File of the tighter policies and rules that are accepted until they have landed. */
export const acceptedFile = 'contract-changes.yaml';

/** Files that list the modules of a contract, for buf. */
export const contractFiles = ['buf.yaml', 'buf.work.yaml'];

/** Whether the contract has changes that are not committed. */
function isContractChanged(folder: string): boolean {
  const files = [...contractFiles, '*.proto', acceptedFile];
  return gitOutput(folder, ['status', '--porcelain', '--untracked-files=all', '--', ...files]) !== '';
}

/** Returns whether the commit has a contract of its own. A copy without services only has the buf.yaml for one. */
function hasContract(commit: string, folder: string): boolean {
  const files = gitOutput(folder, ['ls-tree', '-r', '--name-only', commit])?.split('\n') ?? [];
  return contractFiles.some((file) => files.includes(file)) && files.some((file) => file.endsWith('.proto'));
}

/** Returns the output of git, or undefined if it fails. */
function gitOutput(folder: string, args: readonly string[]): string | undefined {
  const { status, stdout, error } = spawnSync('git', args, {
    cwd: folder,
    encoding: 'utf8',
    maxBuffer: maxOutputBytes,
  });
  if (error) throw new Error(`git cannot be run: ${error.message}`);
  return status === 0 ? stdout.trim() : undefined;
}
