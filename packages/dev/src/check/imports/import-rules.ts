import { existsSync, globSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { root } from '../../repository/paths.ts';
import { circleIn, fileGraph, folderGraph, type Graph } from './import-graph.ts';

/** The source folders of all packages. */
const packages = ['packages/*/src', 'services/*/src', 'test/src', 'lab/src'];

const rpc = 'packages/rpc/src';

/** The floors of `packages/rpc/src`, the lowest first. A folder imports from its own floor and from those below. */
const floors: readonly (readonly string[])[] = [
  ['errors', 'config', 'call'],
  ['logging', 'telemetry', 'tokens', 'limits'],
  ['grpc-js'],
  ['chain', 'auth', 'tls'],
  ['client', 'server'],
  ['testing'],
];

/** Returns the imports that run in a circle or up a floor; undefined when there are none. */
export function importRules(repository = root): string | undefined {
  const graphs = globSync(packages, { cwd: repository }).map((folder) => fileGraph(repository, folder));
  const circles = graphs.flatMap((files) => [circleIn(files), circleIn(folderGraph(files))]);
  const rpcFiles = existsSync(join(repository, rpc)) ? fileGraph(repository, rpc) : new Map();
  const problems = [
    ...circles
      .filter((circle) => circle !== undefined)
      .map((circle) => `imports run in a circle: ${circle.join(' -> ')}`),
    ...importsUpwards(rpcFiles),
  ];
  return problems.length > 0 ? problems.join('\n') : undefined;
}

function importsUpwards(files: Graph): string[] {
  const problems: string[] = [];
  for (const [file, imported] of files)
    for (const each of imported) {
      if (floorOf(each) > floorOf(file))
        problems.push(`${file} imports ${each}, which is on a higher floor: see import-rules.ts`);
    }
  return problems;
}

function floorOf(file: string): number {
  const [room = ''] = relative(rpc, dirname(file)).split('/');
  const floor = floors.findIndex((rooms) => rooms.includes(room));
  if (floor < 0) throw new Error(`${file}: no floor in import-rules.ts for ${room || 'the root folder'}`);
  return floor;
}
