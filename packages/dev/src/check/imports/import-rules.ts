import { existsSync, globSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { root } from '../../repository/paths.ts';
import { cycleIn, fileGraph, folderGraph, type Graph } from './import-graph.ts';

/** The source folders of all packages. */
const packages = ['packages/*/src', 'services/*/src', 'test/src', 'lab/src'];

const rpc = 'packages/rpc/src';

/** The layers of `packages/rpc/src`, the lowest first. A folder imports from its own layer and from those below. */
const layers: readonly (readonly string[])[] = [
  ['errors', 'config', 'call'],
  ['logging', 'telemetry', 'tokens', 'limits'],
  ['grpc-js'],
  ['chain', 'auth', 'tls'],
  ['client', 'server'],
  ['testing'],
];

/** Returns the imports that run in a cycle or to a higher layer; undefined when there are none. */
export function importRules(repository = root): string | undefined {
  const graphs = globSync(packages, { cwd: repository }).map((folder) => fileGraph(repository, folder));
  const cycles = graphs.flatMap((files) => [cycleIn(files), cycleIn(folderGraph(files))]);
  const rpcFiles = existsSync(join(repository, rpc)) ? fileGraph(repository, rpc) : new Map();
  const problems = [
    ...cycles
      .filter((cycle) => cycle !== undefined)
      .map((cycle) => `imports form a cycle: ${cycle.join(' -> ')}`),
    ...importsUpwards(rpcFiles),
  ];
  return problems.length > 0 ? problems.join('\n') : undefined;
}

function importsUpwards(files: Graph): string[] {
  const problems: string[] = [];
  for (const [file, imported] of files)
    for (const each of imported) {
      if (layerOf(each) > layerOf(file))
        problems.push(`${file} imports ${each}, which is on a higher layer: see import-rules.ts`);
    }
  return problems;
}

function layerOf(file: string): number {
  const [room = ''] = relative(rpc, dirname(file)).split('/');
  const layer = layers.findIndex((rooms) => rooms.includes(room));
  if (layer < 0) throw new Error(`${file}: no layer in import-rules.ts for ${room || 'the root folder'}`);
  return layer;
}
