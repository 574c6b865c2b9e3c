import { expect, test } from 'vitest';
import { problemsWith } from './testing/problems-with.ts';

const probe = '[node, /app/dist/health-probe.js';

test.each([
  ['maxUnavailable: 0', 'maxUnavailable: 1', 'removes a replica before its replacement is ready'],
  ['revisionHistoryLimit: 5', 'paused: false', 'has no revisionHistoryLimit'],
  [
    'component: service}\n    spec',
    'component: server}\n    spec',
    'lacks the label app.kubernetes.io/component',
  ],
  ['kubernetes.io/hostname', 'kubernetes.io/arch', 'may run all of its replicas on one node'],
  [`startupProbe: {exec: {command: ${probe}`, `startupProbe: {exec: {command: [sh`, 'has no startupProbe'],
  [
    `readinessProbe: {exec: {command: ${probe}`,
    `readinessProbe: {exec: {command: ${probe}, liveness`,
    'has no readinessProbe that checks readiness',
  ],
  [
    `livenessProbe: {exec: {command: ${probe}, liveness`,
    `livenessProbe: {exec: {command: ${probe}`,
    'has no livenessProbe that checks liveness',
  ],
  ['{sleep: {seconds: 5}}', '{sleep: {seconds: 0}}', 'stops while DNS still lists it'],
  [
    'GracePeriodSeconds: 30',
    'GracePeriodSeconds: 16',
    'may be killed before it has stopped, after up to 16 s',
  ],
  ['LOG_LEVEL: info', "DRAIN_TIMEOUT_MS: '60000'", 'may be killed before it has stopped, after up to 66 s'],
  ['AUTH_AUDIENCE, value: depot', 'AUTH_AUDIENCE, value: shop', 'accepts tokens for shop'],
  ['max-old-space-size=256', 'max-old-space-size=257', 'more than half of its memory limit'],
  ['--max-old-space-size=256', '--enable-source-maps', 'more than half of its memory limit'],
  ['limits: {memory: 512Mi}', 'limits: {memory: 500Mi}', 'more than half of its memory limit'],
  ['maxUnavailable: 1\n', 'minAvailable: 1\n', 'has no PodDisruptionBudget with maxUnavailable'],
  [
    '  maxUnavailable: 1\n  selector: {matchLabels: {app',
    '  maxUnavailable: 1\n  selector: {matchLabels: {ap',
    'has no PodDisruptionBudget',
  ],
  [
    'revisionHistoryLimit',
    'replicas: 3\n  revisionHistoryLimit',
    'sets replicas, which its autoscaler controls',
  ],
  [
    'kind: Deployment, name: depot',
    'kind: Deployment, name: depots',
    'scales Deployment depots, which does not exist',
  ],
  ['admission_in_flight', 'admission_inflight', 'scales by rpc_server_admission_inflight'],
  ['clusterIP: None', 'type: ClusterIP', 'has no headless Service'],
  ["'0.0.0.0:59999'", "'0.0.0.0:59998'", 'listens on 59998, which is not its port grpc'],
  ["value: '9999'", "value: '9998'", 'exports metrics on 9998, which is not its port metrics'],
  ['dns:///depot:59999', 'dns:///depot:59998', 'calls depot:59998, which no Service provides'],
  ['- name: depot\n', '- name: depots\n', 'has no container depot'],
])('a service that cannot be replaced without loss is a problem: %j as %j', async (from, to, problem) => {
  expect(await problemsWith(from, to)).toContainEqual(expect.stringContaining(problem));
});
