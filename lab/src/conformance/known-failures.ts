/** A run of a suite: the side under test, and its counterpart. */
export const runs = {
  'suite server': 'server, called by the clients of the Connect conformance suite',
  'suite web server': 'web port, called by the same clients over Connect and gRPC-Web, HTTP/1.1 and HTTP/2',
  'suite client': 'client, against the servers of the Connect conformance suite',
  'interop server': "server, called by grpc-go's interoperability client",
  'interop client': "client, against grpc-go's interoperability server",
} as const;

export type Run = keyof typeof runs;

/** Cases that @acme/rpc does not pass. The run fails if one of them passes, or if any other case fails. */
export interface KnownFailure {
  readonly run: Run;
  /** Name of a case. In the Connect suite `*` stands for one part of a name and `**` for any number of them. */
  readonly cases: string;
  readonly limitOf: 'grpc-js' | 'the kit, by choice' | 'the suite';
  /** Reason, in whole sentences. */
  readonly reason: string;
}

export const knownFailures: readonly KnownFailure[] = [
  {
    run: 'interop server',
    cases: 'orca_per_rpc',
    limitOf: 'the kit, by choice',
    reason: 'ORCA load reports cost 15 ms a call in grpc-js, so the server sends none.',
  },
  {
    run: 'interop server',
    cases: 'orca_oob',
    limitOf: 'the kit, by choice',
    reason: 'As above: the server does not serve the OpenRcaService.',
  },
];

export function knownFailuresOf(run: Run): readonly KnownFailure[] {
  return knownFailures.filter((each) => each.run === run);
}
