/** A module of buf.yaml, and the code that buf generates from it. All paths are relative to the repository's root. */
export interface Contract {
  readonly proto: string;
  readonly template: string;
  readonly generated: string;
}

/** The contract of the services, that of @acme/rpc, and that of the packages' own tests. */
export const contracts: readonly Contract[] = [
  { proto: 'proto', template: 'buf.gen.yaml', generated: 'gen/src' },
  { proto: 'packages/rpc/proto', template: 'packages/rpc/buf.gen.yaml', generated: 'packages/rpc/src/gen' },
  {
    proto: 'packages/rpc/src/testing/proto',
    template: 'packages/rpc/src/testing/buf.gen.yaml',
    generated: 'packages/rpc/src/testing/gen',
  },
];
