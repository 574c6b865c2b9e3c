import { expect, test } from 'vitest';
import { depot, problemsWith } from './testing/problems-with.ts';

test('a service of services.ts without a Deployment is a problem that names the folder to write', async () => {
  const absentee = { name: 'absentee', port: 50053, metricsPort: 9466, calls: {} };
  expect(await problemsWith('LOG_LEVEL: info', 'LOG_LEVEL: warn', [depot, absentee])).toEqual([
    'no Deployment absentee: write deploy/kubernetes/base/absentee, and list it in the kustomization beside it',
  ]);
});

test.each([
  [{ ...depot, port: 50053 }, 'Deployment depot listens on 59999, and services.ts says 50053'],
  [{ ...depot, metricsPort: 9466 }, 'Deployment depot exports metrics on 9999, and services.ts says 9466'],
])('a port that services.ts does not have is a problem: %j', async (entry, problem) => {
  expect(await problemsWith('LOG_LEVEL: info', 'LOG_LEVEL: warn', [entry])).toEqual([problem]);
});

test.each([
  [
    'secretName: depot-tls',
    'secretName: depots-tls',
    'no Certificate for the Secret depot-tls: write deploy/kubernetes/components/cert-manager/depot.yaml',
  ],
  [
    '{port: metrics, relabelings',
    '{port: grpc, relabelings',
    'no PodMonitor scrapes the port metrics of depot',
  ],
  ['targetLabel: component', 'targetLabel: tier', 'no PodMonitor scrapes the port metrics of depot'],
  [
    'spec:\n  selector: {matchLabels: {app.kubernetes.io/component: service}}',
    'spec:\n  selector: {matchLabels: {app.kubernetes.io/component: server}}',
    'no PodMonitor scrapes the port metrics of depot',
  ],
  [
    'spiffe://saturday.example/shop=depot:write',
    'spiffe://saturday.example/depot=depot:write',
    'AUTH_PEERS of depot accepts depot, which does not call it',
  ],
])('a part of a service that is missing is a problem: %j as %j', async (from, to, problem) => {
  expect(await problemsWith(from, to)).toEqual([expect.stringContaining(problem)]);
});
