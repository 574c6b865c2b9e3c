import { expect, test } from 'vitest';
import { problemsWith } from './testing/problems-with.ts';

test.each([
  ['base/network/deny-all.yaml', '[Ingress, Egress]', '[Ingress]', 'no NetworkPolicy denies everything'],
  [
    'base/network/metrics.yaml',
    'port: metrics',
    'port: metric',
    'names port metric, which its pods do not have',
  ],
  [
    'base/orders/networkpolicy.yaml',
    'port: 50052',
    'port: 50053',
    'names port 50053, which its pods do not have',
  ],
  ['base/orders/networkpolicy.yaml', 'name: inventory', 'name: inventry', 'names pods that there are not'],
  [
    'base/inventory/networkpolicy.yaml',
    'name: inventory}\n  p',
    'name: inventry}\n  p',
    'is for no pod that there is',
  ],
  ['base/inventory/networkpolicy.yaml', 'name: orders', 'name: order', 'names pods that there are not'],
  [
    'overlays/development/operator/deployment.yaml',
    'name: operator, ',
    'name: someone, ',
    'no NetworkPolicy is for its pods',
  ],
])(
  'ensure a network that lets in the wrong ones does not pass: in %s %j as %j',
  async (file, from, to, problem) => {
    expect(await problemsWith(file, from, to)).toContain(problem);
  },
);
