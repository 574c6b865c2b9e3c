import { globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** The nodes that each node imports. */
export type Graph = ReadonlyMap<string, ReadonlySet<string>>;

/** The imports of a file, type imports included. */
export interface Imports {
  /** Imported files, by their paths from the repository's root. */
  readonly files: readonly string[];
  /** Names of modules of packages: `@acme/rpc/call/policy`. */
  readonly modules: readonly string[];
}

const importPattern = /(?:\bfrom|\bimport\s*\(|^import)\s*'([^'$]+)'/gm;

export function importsOf(root: string, file: string): Imports {
  const text = readFileSync(join(root, file), 'utf8');
  const names = [...text.matchAll(importPattern)].map(([, name = '']) => name);
  return {
    files: names.filter((name) => name.startsWith('.')).map((name) => join(dirname(file), name)),
    modules: names.filter((name) => !name.startsWith('.')),
  };
}

/** Returns the imports between the files of a package. Tests are omitted: nothing imports them. */
export function fileGraph(root: string, folder: string): Graph {
  const files = globSync(`${folder}/**/*.{ts,tsx}`, { cwd: root })
    .filter((file) => !file.endsWith('.test.ts'))
    .toSorted();
  return new Map(files.map((file) => [file, new Set(importsOf(root, file).files)]));
}

/** Returns the imports between folders. */
export function folderGraph(files: Graph): Graph {
  const folders = new Map<string, Set<string>>();
  for (const [file, imported] of files) {
    const folder = folders.get(dirname(file)) ?? new Set();
    folders.set(dirname(file), folder);
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
