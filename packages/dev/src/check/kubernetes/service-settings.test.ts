import { expect, test } from 'vitest';
import { problemsWith } from './testing/problems-with.ts';

const orders = 'base/orders/deployment.yaml';
const production = 'overlays/production/kustomization.yaml';

test.each([
  [
    orders,
    'name: INVENTORY_TARGET',
    'name: INVENTORY_TRAGET',
    'would not start: INVENTORY_TARGET is missing',
  ],
  [
    orders,
    'name: INVENTORY_TARGET',
    'name: INVENTORY_TRAGET',
    'is told INVENTORY_TRAGET, which it does not read',
  ],
  [production, '- LOG_LEVEL=info', '- LOG_LEVEL=loud', 'would not start: LOG_LEVEL is not valid'],
  [orders, 'AUTH_AUDIENCE', 'AUTH_AUDIENC', 'would not start: AUTH_AUDIENCE is missing'],
  [production, 'NODE_ENV=production', 'NODE_ENV=prod', 'would not start: NODE_ENV is not valid'],
  [
    'base/kustomization.yaml',
    'TLS_MODE=mtls',
    'TLS_MODE=off',
    'would not start: TLS_MODE is not valid (TLS is off',
  ],
  [
    orders,
    'dns:///inventory:50052',
    'dns:///inventory',
    'INVENTORY_TARGET is not valid (the port is missing)',
  ],
  [
    production,
    '- inventory=spiffe',
    '- inventry=spiffe',
    'reads inventory of ConfigMap peers, which is not in it',
  ],
  [production, 'name: peers', 'name: peer', 'reads ConfigMap peers, which nothing makes'],
  ['base/kustomization.yaml', '      - TLS_CA=/secrets/ca.crt\n', '', 'would not start: TLS_CA is missing'],
  [orders, 'name: orders', 'name: payments', 'is no service: '],
])(
  'ensure settings that the service does not take do not pass: in %s %j as %j',
  async (file, from, to, problem) => {
    expect(await problemsWith(file, from, to)).toContain(problem);
  },
);
