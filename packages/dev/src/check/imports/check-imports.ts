import { globSync } from 'node:fs';
import { dirname, relative } from 'node:path';
import { root } from '../../repository/paths.ts';
import { cycleIn, fileGraph, folderGraph, type Graph } from './import-graph.ts';
import { packageProblems } from './package-layers.ts';

/** The source folders of all packages. */
const sourceFolders = ['gen/src', 'packages/*/src', 'services/*/src', 'test/src', 'lab/src', 'lab/console'];

const rpc = 'packages/rpc/src';

/** The layers of `packages/rpc/src`, the lowest first. A folder imports from its own layer and from those below. */
const layers: readonly (readonly string[])[] = [
  ['gen', 'node-24'],
  ['errors', 'config', 'call'],
  ['logging', 'telemetry', 'tokens', 'limits'],
  ['grpc-js', 'incoming'],
  ['chain', 'auth', 'tls', 'web'],
  ['client', 'server'],
  ['testing'],
  ['exports'],
];

/**
 * Returns the imports that break the rules of ARCHITECTURE.md, "Layers", a line each: cycles between files or folders,
 * and imports from a higher layer, of packages or inside `packages/rpc`. Returns undefined when there are none.
 */
export function checkImports(repository = root): string | undefined {
  const folders = globSync(sourceFolders, { cwd: repository });
  const graphs = new Map(folders.map((folder) => [folder, fileGraph(repository, folder)]));
  const cycles = [...graphs.values()].flatMap((files) => [cycleIn(files), cycleIn(folderGraph(files))]);
  const problems = [
    ...cycles
      .filter((cycle) => cycle !== undefined)
      .map((cycle) => `imports form a cycle: ${cycle.join(' -> ')}`),
    ...rpcProblems(graphs.get(rpc) ?? new Map()),
    ...folders.flatMap((folder) => packageProblems(repository, folder)),
  ];
  return problems.join('\n') || undefined;
}

function rpcProblems(files: Graph): string[] {
  return [...files].flatMap(([file, imported]) =>
    [...imported]
      .filter((each) => layerOf(each) > layerOf(file))
      .map((each) => `${file} imports ${each}, which is on a higher layer`),
  );
}

function layerOf(file: string): number {
  const [folder = ''] = relative(rpc, dirname(file)).split('/');
  const layer = layers.findIndex((layer) => layer.includes(folder));
  if (layer < 0) throw new Error(`${file}: no layer in check-imports.ts for ${folder || 'the root folder'}`);
  return layer;
}
