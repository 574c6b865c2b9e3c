import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** A file of the same package, as an import or a URL names it. */
const ownFile = /'(\.\.?\/[^'\s]+\.ts)'/g;

/** Paths from `root` of the files that `path` names. */
function namedBy(root: string, path: string): string[] {
  const text = readFileSync(join(root, path), 'utf8');
  return [...text.matchAll(ownFile)].map(([, file = '']) => join(dirname(path), file));
}

/** The files, and all that they import from their own package, and those import. */
export function reachableFrom(root: string, files: readonly string[]): Set<string> {
  const reached = new Set<string>();
  const visit = (path: string) => {
    if (reached.has(path) || !existsSync(join(root, path))) return;
    reached.add(path);
    for (const named of namedBy(root, path)) visit(named);
  };
  for (const file of files) visit(file);
  return reached;
}
