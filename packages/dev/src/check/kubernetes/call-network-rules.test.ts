import { expect, test } from 'vitest';
import { callNetworkProblems } from './call-network-rules.ts';
import { parseManifests } from './manifest.ts';

const entries = [
  { name: 'depot', port: 50002, metricsPort: 9402, calls: {} },
  { name: 'shop', port: 50001, metricsPort: 9401, calls: { depot: ['depot:read'] } },
];

const manifests = `
kind: Deployment
metadata: {name: shop}
spec: {template: {metadata: {labels: {name: shop}}, spec: {containers: []}}}
---
kind: Deployment
metadata: {name: depot}
spec: {template: {metadata: {labels: {name: depot}}, spec: {containers: [{ports: [{name: grpc, containerPort: 50002}, {name: metrics, containerPort: 9402}]}]}}}
---
kind: NetworkPolicy
metadata: {name: shop}
spec:
  podSelector: {matchLabels: {name: shop}}
  egress:
    - to: [{podSelector: {matchLabels: {name: depot}}}]
      ports: [{port: 50002}]
---
kind: NetworkPolicy
metadata: {name: depot}
spec:
  podSelector: {matchLabels: {name: depot}}
  ingress:
    - from: [{podSelector: {matchLabels: {name: shop}}}]
      ports: [{port: grpc}]
`;

test('a call that both policies allow has no problems', () => {
  expect(callNetworkProblems(parseManifests(manifests), entries)).toEqual([]);
});

const egress =
  'deploy/kubernetes/base/shop/networkpolicy.yaml does not allow egress to port 50002 of depot, which shop calls';
const ingress =
  'deploy/kubernetes/base/depot/networkpolicy.yaml does not allow ingress from shop to port 50002, which shop calls';

test.each([
  ['to: [{podSelector: {matchLabels: {name: depot', 'to: [{podSelector: {matchLabels: {name: store', egress],
  ['ports: [{port: 50002}]', 'ports: [{port: 9402}]', egress],
  [
    'podSelector: {matchLabels: {name: shop}}\n  egress',
    'podSelector: {matchLabels: {name: store}}\n  egress',
    egress,
  ],
  ['to: [{podSelector', 'to: [{namespaceSelector: {}, podSelector', egress],
  [
    'from: [{podSelector: {matchLabels: {name: shop',
    'from: [{podSelector: {matchLabels: {name: store',
    ingress,
  ],
  ['ports: [{port: grpc}]', 'ports: [{port: metrics}]', ingress],
  ['from: [{podSelector', 'from: [{namespaceSelector: {}, podSelector', ingress],
])('a call that a policy denies is a problem that names its file: %j as %j', (from, to, problem) => {
  expect(manifests).toContain(from);
  expect(callNetworkProblems(parseManifests(manifests.replace(from, to)), entries)).toEqual([problem]);
});
