import { existsSync, globSync } from 'node:fs';
import { basename, join } from 'node:path';
import { runCommand } from '@acme/dev/cli';

/** The schema of a service before its last migration, and the code that ran on it. */
export interface PreviousRelease {
  /** Names of the migrations that the schema had. */
  readonly migrations: readonly string[];
  readonly code:
    | { readonly commit: string }
    /** The reason why the repository does not have the code. */
    | { readonly missing: string };
}

interface Migration {
  readonly name: string;
  /** Hash of the content, by git. */
  readonly blob: string;
}

/**
 * Finds the newest commit whose migrations of the service are those of the working tree without the last ones, in name and
 * content. Where no commit has them, for example in a copy with a history of its own, the code is missing.
 *
 * @param base The commit to use instead. Its migrations may also be all that there are.
 * @throws Error if the history is shallow and does not reach the commit, or if `base` has other migrations.
 */
export function findPreviousRelease(folder: string, service: string, base?: string): PreviousRelease {
  const git = (...args: string[]) => runCommand(folder, 'git', ...args);
  const path = `services/${service}/migrations`;
  const present = globSync('*.sql', { cwd: join(folder, path) }).toSorted();
  const last = present.at(-1);
  const withoutLast = present.slice(0, -1);
  if (last === undefined || withoutLast.length === 0)
    return { migrations: [], code: { missing: `${service} has no migration but its first` } };
  if (!hasCommits(folder))
    return { migrations: withoutLast, code: { missing: 'there is no git repository' } };

  const blobs = git('hash-object', '--', ...present.map((name) => `${path}/${name}`)).split('\n');
  const migrations = present.map((name, index): Migration => ({ name, blob: blobs[index] ?? '' }));
  const countAt = (commit: string) => commonCount(migrationsAt(git, commit, path), migrations);
  if (base !== undefined) {
    const commit = git('rev-parse', '--verify', `${base}^{commit}`);
    const count = countAt(commit);
    if (count === 0)
      throw new Error(`${base} has other migrations of ${service}, or none: name a commit of this history`);
    return { migrations: present.slice(0, count), code: { commit } };
  }
  // The newest commit of each state of the folder is the parent of a commit that changes it. Merges count too.
  const parents = git('log', '--full-history', '--topo-order', '--format=%P', 'HEAD', '--', path);
  let best = { commit: '', count: 0 };
  for (const commit of ['HEAD', ...new Set(parents.split(/\s+/).filter(Boolean))]) {
    const count = countAt(commit);
    if (count > best.count && count < present.length) best = { commit, count };
  }
  if (best.count > 0) {
    const commit = git('rev-parse', '--short', best.commit);
    return { migrations: present.slice(0, best.count), code: { commit } };
  }
  if (git('rev-parse', '--is-shallow-repository') === 'true')
    throw new Error(
      `the history of this clone is shallow and does not reach the commit before ${last} of ${service}: git fetch --unshallow`,
    );
  return { migrations: withoutLast, code: { missing: `no commit has ${service} as it was before ${last}` } };
}

/** Throws if there are commits that git cannot or may not read: a test of the old code must not pass without it. */
function hasCommits(folder: string): boolean {
  try {
    return runCommand(folder, 'git', 'rev-list', '--max-count=1', '--all') !== '';
  } catch (error) {
    if (existsSync(join(folder, '.git'))) throw error;
    return false;
  }
}

function migrationsAt(git: (...args: string[]) => string, commit: string, path: string): Migration[] {
  return git('ls-tree', commit, `${path}/`)
    .split('\n')
    .flatMap((line) => {
      const [, blob = '', file = ''] = /^\d+ blob (\w+)\t(.*)$/.exec(line) ?? [];
      return file.endsWith('.sql') ? [{ name: basename(file), blob }] : [];
    });
}

/** Returns the number of migrations if they are the first of `all`, else 0. */
function commonCount(migrations: readonly Migration[], all: readonly Migration[]): number {
  const isPrefix = migrations.every(
    ({ name, blob }, index) => all[index]?.name === name && all[index].blob === blob,
  );
  return isPrefix ? migrations.length : 0;
}
