import { expect, test } from 'vitest';
import { kubernetesManifests } from './kubernetes-manifests.ts';
import { problemsWith } from './testing/problems-with.ts';

test("ensure the repository's manifests keep every rule", async () => {
  expect(await kubernetesManifests()).toBeUndefined();
});

const orders = 'base/orders/deployment.yaml';
const production = 'overlays/production/kustomization.yaml';
const development = 'overlays/development/kustomization.yaml';

test.each([
  [orders, 'maxSkew: 1', 'maxSkew: one', '/maxSkew must be integer'],
  [
    orders,
    'readOnlyRootFilesystem',
    'readonlyRootFilesystem',
    'there is no field /spec/template/spec/containers/0/sec',
  ],
  [orders, '  selector:\n    match', '  selectr:\n    match', 'must have required property selector'],
  ['base/orders/pdb.yaml', 'policy/v1', 'policy/v2', 'has no schema of policy/v2 PodDisruptionBudget'],
  ['components/cert-manager/orders.yaml', 'dnsNames', 'dnsName', 'there is no field /spec/dnsName'],
  [
    'components/prometheus-operator/podmonitor.yaml',
    'jobLabel',
    'joblabel',
    'there is no field /spec/joblabel',
  ],
])('ensure what a schema does not know does not pass: in %s %j as %j', async (file, from, to, problem) => {
  expect(await problemsWith(file, from, to)).toContain(problem);
});

test.each([
  ['base/orders/kustomization.yaml', '- pdb.yaml', '- pbd.yaml', 'pbd.yaml is not there'],
  [
    'base/orders/kustomization.yaml',
    '  - hpa.yaml\n',
    '',
    'base/orders/hpa.yaml belongs to no kustomization',
  ],
  ['base/kustomization.yaml', '- inventory', '- payments', 'payments is not there'],
  [orders, 'startupProbe:', 'readinessProbe:', 'Map keys must be unique'],
  [production, 'images:', 'image:', 'image is nothing that this check can judge'],
  [production, 'behavior: merge', 'behavior: create', 'ConfigMap settings is there: behavior: merge'],
  [
    'base/kustomization.yaml',
    'name: settings',
    'name: setting',
    'ConfigMap settings is not there to merge with',
  ],
  [development, '{kind: HorizontalPodAutoscaler}', '{kind: ReplicaSet}', 'a patch finds no ReplicaSet'],
  [development, '$patch: delete', 'spec: {selector: {}}', 'changes selector, which is no size'],
  [
    'overlays/development/postgres/kustomization.yaml',
    '[databases.sql]',
    '[database.sql]',
    'database.sql is not there',
  ],
  [
    development,
    '$patch: delete\n      apiVersion: autoscaling/v2\n      kind: HorizontalPodAutoscaler\n      metadata: {name: any}',
    '[{op: remove, path: /spec/metrics}]',
    'a JSON patch is nothing that this check can judge',
  ],
])(
  'ensure a kustomization that kustomize or we cannot follow does not pass: in %s %j as %j',
  async (file, from, to, problem) => {
    expect(await problemsWith(file, from, to)).toContain(problem);
  },
);

test('ensure an overlay may change sizes', async () => {
  const patch = `
patches:
  - patch: |
      apiVersion: autoscaling/v2
      kind: HorizontalPodAutoscaler
      metadata: {name: orders}
      spec: {minReplicas: 6, maxReplicas: 30}

configMapGenerator:`;
  expect(await problemsWith(production, '\nconfigMapGenerator:', patch)).toBeUndefined();
});
