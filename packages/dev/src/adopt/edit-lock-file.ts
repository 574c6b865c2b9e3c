import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { sortKeys } from '../repository/sort-keys.ts';

interface Locked {
  dependencies?: Record<string, string>;
  readonly resolved?: string;
  readonly link?: boolean;
}

/** Removes the workspaces that the copy does not have from its lock file, and sorts the rest as npm does. */
export function editLockFile(root: string): void {
  const file = join(root, 'package-lock.json');
  const lock: { packages: Record<string, Locked> } = JSON.parse(readFileSync(file, 'utf8'));
  const workspaces = new Set(
    Object.values(lock.packages).flatMap(({ link, resolved }) => (link && resolved ? [resolved] : [])),
  );
  const isGone = (workspace: string) =>
    workspaces.has(workspace) && !existsSync(join(root, workspace, 'package.json'));
  const kept = Object.entries(lock.packages).filter(
    ([path, { link, resolved = '' }]) => !isGone(path) && !(link && isGone(resolved)),
  );
  for (const [, entry] of kept) if (entry.dependencies) entry.dependencies = sortKeys(entry.dependencies);
  writeFileSync(
    file,
    `${JSON.stringify({ ...lock, packages: sortKeys(Object.fromEntries(kept)) }, null, 2)}\n`,
  );
}
