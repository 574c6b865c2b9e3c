import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../repository/paths.ts';

/** A module of buf.yaml, and the code that buf generates from it. All paths are relative to the repository's root. */
export interface Contract {
  readonly proto: string;
  readonly template: string;
  readonly generated: string;
}

const known: readonly Contract[] = [
  { proto: 'proto', template: 'buf.gen.yaml', generated: 'gen/src' },
  { proto: 'packages/rpc/proto', template: 'packages/rpc/buf.gen.yaml', generated: 'packages/rpc/src/gen' },
  {
    proto: 'packages/rpc/src/testing/proto',
    template: 'packages/rpc/src/testing/buf.gen.yaml',
    generated: 'packages/rpc/src/testing/gen',
  },
  { proto: 'lab/proto', template: 'lab/buf.gen.yaml', generated: 'lab/src/conformance/gen' },
];

/** The modules of this repository. A repository without services has no contract of its own. */
export const contracts = known.filter(({ proto }) => existsSync(join(root, proto)));
