import { globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** The nodes that each node imports. */
export type Graph = ReadonlyMap<string, ReadonlySet<string>>;

const relativeImport = /(?:\bfrom|\bimport\s*\(|^import)\s*'(\.[^']+)'/gm;

/** Returns the imports between the files of a package, type imports included. Tests are omitted: nothing imports them. */
export function fileGraph(root: string, folder: string): Graph {
  const files = globSync(`${folder}/**/*.ts`, { cwd: root })
    .filter((file) => !file.endsWith('.test.ts'))
    .toSorted();
  return new Map(
    files.map((file) => {
      const text = readFileSync(join(root, file), 'utf8');
      const imported = [...text.matchAll(relativeImport)].map(([, path = '']) => join(dirname(file), path));
      return [file, new Set(imported)];
    }),
  );
}

/** Returns the imports between folders. */
export function folderGraph(files: Graph): Graph {
  const folders = new Map<string, Set<string>>();
  for (const [file, imported] of files) {
    const folder = folders.getOrInsertComputed(dirname(file), () => new Set());
    for (const each of imported) if (dirname(each) !== dirname(file)) folder.add(dirname(each));
  }
  return folders;
}

/** Returns the nodes of a cycle, the first one repeated at the end; undefined if there is none. */
export function cycleIn(graph: Graph): readonly string[] | undefined {
  const done = new Set<string>();
  const visit = (node: string, path: readonly string[]): readonly string[] | undefined => {
    const start = path.indexOf(node);
    if (start >= 0) return [...path.slice(start), node];
    if (done.has(node)) return undefined;
    for (const next of graph.get(node) ?? []) {
      const cycle = visit(next, [...path, node]);
      if (cycle) return cycle;
    }
    done.add(node);
    return undefined;
  };
  for (const node of graph.keys()) {
    const cycle = visit(node, []);
    if (cycle) return cycle;
  }
  return undefined;
}
