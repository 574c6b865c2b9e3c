import { expect, test } from 'vitest';
import { callProblems, type DeployedService } from './call-rules.ts';
import type { ListedService } from './listed-service.ts';

const shop: ListedService = {
  name: 'shop',
  port: 50001,
  metricsPort: 9401,
  calls: { depot: ['depot:read', 'depot:write'] },
};
const depot: ListedService = { name: 'depot', port: 50002, metricsPort: 9402, calls: {} };

const identity = (name: string) => `spiffe://saturday.example/${name}`;

interface Change {
  readonly variables?: Readonly<Record<string, string>>;
  readonly identity?: string | undefined;
  readonly peers?: Readonly<Record<string, readonly string[]>>;
}

/** Runs the rules on shop, which calls depot, after a change of the environment of shop or of the peers of depot. */
function problemsWith(change: Change = {}, entries: readonly ListedService[] = [depot, shop]): string[] {
  const {
    variables = { DEPOT_TARGET: 'dns:///depot:50002', TLS_MODE: 'mtls' },
    peers = { [identity('shop')]: ['depot:read', 'depot:write'] },
  } = change;
  const deployedAs = (
    name: string,
    own: Readonly<Record<string, string>>,
    accepted: Readonly<Record<string, readonly string[]>>,
  ): DeployedService => ({
    identity: identity(name),
    settings: {
      port: 0,
      audience: name,
      heapMib: 0,
      metricsPort: 0,
      drainTimeoutMs: 0,
      targets: [],
      problems: [],
      variables: own,
      peers: new Map(Object.entries(accepted).map(([id, scopes]) => [id, new Set(scopes)])),
    },
  });
  const deployed = new Map([
    [
      'shop',
      { ...deployedAs('shop', variables, {}), ...('identity' in change && { identity: change.identity }) },
    ],
    ['depot', deployedAs('depot', {}, peers)],
    ['ledger', deployedAs('ledger', {}, {})],
  ]);
  return callProblems(entries, deployed, {
    target: (name) => `${name}.yaml`,
    peers: (name) => `AUTH_PEERS in ${name}.yaml`,
  });
}

test('a caller with a target, a certificate and its scopes has no problems', () => {
  expect(problemsWith()).toEqual([]);
});

test('a caller with a token needs no entry in AUTH_PEERS', () => {
  const variables = {
    DEPOT_TARGET: 'dns:///depot:50002',
    TLS_MODE: 'tls',
    AUTH_TOKEN_FILE: '/secrets/token',
  };
  expect(problemsWith({ variables, peers: {} })).toEqual([]);
});

test('the token for the first called service is no credential for the second one', () => {
  const ledger: ListedService = { name: 'ledger', port: 50003, metricsPort: 9403, calls: {} };
  const caller = { ...shop, calls: { depot: ['depot:read'], ledger: ['ledger:write'] } };
  const variables = {
    DEPOT_TARGET: 'dns:///depot:50002',
    LEDGER_TARGET: 'dns:///ledger:50003',
    TLS_MODE: 'mtls',
    AUTH_TOKEN_FILE: '/secrets/token',
  };
  const entries = [depot, ledger, caller];
  expect(problemsWith({ variables, peers: {} }, entries)).toEqual([
    'shop calls ledger: add spiffe://saturday.example/shop=ledger:write to AUTH_PEERS in ledger.yaml',
  ]);
  const tls = { ...variables, TLS_MODE: 'tls' };
  expect(problemsWith({ variables: tls, peers: {} }, entries)).toEqual([
    'shop calls ledger: shop has neither a certificate (TLS_MODE=mtls) nor LEDGER_TOKEN_FILE',
  ]);
  const tokens = { ...tls, LEDGER_TOKEN_FILE: '/secrets/ledger-token' };
  expect(problemsWith({ variables: tokens, peers: {} }, entries)).toEqual([]);
});

test.each<[string, Change, string]>([
  ['no target', { variables: { TLS_MODE: 'mtls' } }, 'set DEPOT_TARGET=dns:///depot:50002 in shop.yaml'],
  [
    'the target of another port',
    { variables: { TLS_MODE: 'mtls', DEPOT_TARGET: 'dns:///depot:50001' } },
    'set DEPOT_TARGET=dns:///depot:50002 in shop.yaml',
  ],
  [
    'no client certificate',
    { variables: { TLS_MODE: 'tls', DEPOT_TARGET: 'dns:///depot:50002' } },
    'shop has neither a certificate (TLS_MODE=mtls) nor AUTH_TOKEN_FILE',
  ],
  [
    'no identity',
    { identity: undefined },
    'shop has neither a certificate (TLS_MODE=mtls) nor AUTH_TOKEN_FILE',
  ],
  [
    'no peer',
    { peers: {} },
    'add spiffe://saturday.example/shop=depot:read depot:write to AUTH_PEERS in depot.yaml',
  ],
  [
    'a peer without one of the scopes',
    { peers: { [identity('shop')]: ['depot:read'] } },
    'add spiffe://saturday.example/shop=depot:read depot:write to AUTH_PEERS in depot.yaml',
  ],
])('a call that would fail is a problem: %s', (_what, change, problem) => {
  expect(problemsWith(change)).toEqual([`shop calls depot: ${problem}`]);
});

test('a called service that services.ts does not list is a problem', () => {
  expect(problemsWith({}, [shop])).toEqual(['shop calls depot, which services.ts does not list']);
});

test('a certificate that is accepted although its service does not call is a problem', () => {
  expect(problemsWith({}, [depot, { ...shop, calls: {} }])).toEqual([
    'AUTH_PEERS of depot accepts shop, which does not call it: add it to calls in services.ts, or remove it',
  ]);
});
