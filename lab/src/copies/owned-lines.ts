import type { TextFile } from './adopted-copy.ts';

/** Files that a team does not write: tests, generated files, the lock file, the licence. */
const notOwned = [
  /\.test\.ts$/,
  /\/testing\//,
  /^deploy\/observability\/prometheus\/tests\//,
  /^gen\/(src|openapi|service-config)\//,
  /^docs\/api\//,
  /^docs\/settings\.md$/,
  /^package-lock\.json$/,
  /^LICENSE$/,
];

/** The first or second line of a file that `npm run generate` writes. */
const generated = /Generated .*npm run generate/;

/** Returns the number of lines that a copy owns, by folder: the first of its path, and for deployments the second too. */
export function ownedLines(files: readonly TextFile[]): Map<string, number> {
  const owned = new Map<string, number>();
  for (const { file, lines } of files) {
    if (notOwned.some((pattern) => pattern.test(file)) || generated.test(lines.slice(0, 2).join('\n')))
      continue;
    const parts = file.split('/');
    const depth = parts[0] === 'deploy' ? 2 : 1;
    const folder =
      parts.length === 1 ? '(root)' : parts.slice(0, Math.min(depth, parts.length - 1)).join('/');
    owned.set(folder, (owned.get(folder) ?? 0) + lines.length);
  }
  return owned;
}

/** Prints a row for each folder, and the sum. */
export function printOwnedLines(owned: ReadonlyMap<string, number>): void {
  const rows = [...owned].toSorted(([, a], [, b]) => b - a);
  const sum = rows.reduce((total, [, lines]) => total + lines, 0);
  for (const [folder, lines] of [...rows, ['all', sum] as const])
    process.stdout.write(`     ${String(lines).padStart(6)} lines owned in ${folder}\n`);
}
