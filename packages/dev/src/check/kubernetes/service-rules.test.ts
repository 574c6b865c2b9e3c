import { expect, test } from 'vitest';
import { problemsWith } from './testing/problems-with.ts';

const orders = 'base/orders/deployment.yaml';
const production = 'overlays/production/kustomization.yaml';

test.each([
  [orders, 'maxUnavailable: 0', 'maxUnavailable: 1', 'takes a replica away before another is ready'],
  [orders, '  revisionHistoryLimit: 5\n', '', 'revisionHistoryLimit'],
  [
    orders,
    'app.kubernetes.io/component: service',
    'app.kubernetes.io/component: server',
    'not labelled as a service',
  ],
  [
    orders,
    'topologyKey: kubernetes.io/hostname',
    'topologyKey: kubernetes.io/arch',
    'all of its replicas on one node',
  ],
  [orders, 'health-probe.ts, liveness]', 'health-probe.ts]', 'has no livenessProbe that asks for liveness'],
  [orders, 'health-probe.ts]', 'health-probe.ts, liveness]', 'has no readinessProbe that asks for readiness'],
  [orders, '&probe-liveness [node,', '&probe-liveness [sh,', 'has no startupProbe that asks for liveness'],
  [orders, '{sleep: {seconds: 5}}', '{sleep: {seconds: 0}}', 'stops before its callers hear of it'],
  [
    orders,
    'terminationGracePeriodSeconds: 30',
    'terminationGracePeriodSeconds: 16',
    'is killed while it drains, which takes up to 16 s',
  ],
  [
    production,
    '- LOG_LEVEL=info',
    '- DRAIN_TIMEOUT_MS=60000',
    'is killed while it drains, which takes up to 66 s',
  ],
  ['base/orders/pdb.yaml', 'maxUnavailable: 1', 'minAvailable: 1', 'has no PodDisruptionBudget'],
  [
    'base/orders/pdb.yaml',
    '{app.kubernetes.io/name: orders}\n',
    '{app.kubernetes.io/name: order}\n',
    'has no PodDisruptionBudget',
  ],
  [
    'base/orders/hpa.yaml',
    'kind: Deployment, name: orders',
    'kind: Deployment, name: order',
    'scales nothing that there is',
  ],
  [
    orders,
    '  revisionHistoryLimit',
    '  replicas: 3\n  revisionHistoryLimit',
    'has replicas, which its autoscaler sets',
  ],
  ['base/orders/service.yaml', '  clusterIP: None\n', '', 'has no headless Service'],
  ['base/orders/service.yaml', 'port: 50051', 'port: 443', 'port 443 is no port of its pods'],
  [
    'base/orders/service.yaml',
    'selector: {app.kubernetes.io/name: orders}',
    'selector: {app: orders}',
    'is for no pod',
  ],
  [orders, "'0.0.0.0:50051'", "'0.0.0.0:50052'", 'listens on 50052, which is not its port grpc'],
  [orders, "value: '9464'", "value: '9465'", 'shows metrics on 9465, which is not its port metrics'],
  [
    orders,
    'dns:///inventory:50052',
    'dns:///inventory:50051',
    'calls inventory:50051, which is no Service here',
  ],
  [orders, '- name: orders\n', '- name: order\n', 'has no container orders'],
  [orders, 'AUTH_AUDIENCE, value: orders', 'AUTH_AUDIENCE, value: inventory', 'accepts tokens for inventory'],
  [orders, 'max-old-space-size=256', 'max-old-space-size=257', 'may fill its limit of memory with heap'],
  [orders, '--max-old-space-size=256', '--enable-source-maps', 'may fill its limit of memory with heap'],
  [orders, 'limits: {memory: 512Mi}', 'limits: {memory: 500Mi}', 'may fill its limit of memory with heap'],
  [
    'base/orders/hpa.yaml',
    'admission_in_flight',
    'admission_inflight',
    'wants rpc_server_admission_inflight',
  ],
])(
  'ensure a service that cannot be replaced at any time does not pass: in %s %j as %j',
  async (file, from, to, problem) => {
    expect(await problemsWith(file, from, to)).toContain(problem);
  },
);
