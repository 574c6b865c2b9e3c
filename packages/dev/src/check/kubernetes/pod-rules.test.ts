import { expect, test } from 'vitest';
import { problemsWith } from './testing/problems-with.ts';

const orders = 'base/orders/deployment.yaml';
const production = 'overlays/production/kustomization.yaml';

test.each([
  [orders, 'runAsNonRoot: true', 'runAsNonRoot: false', 'may run as root'],
  [orders, 'runAsUser: 1000', 'runAsUser: 0', 'may run as root'],
  [orders, 'RuntimeDefault', 'Unconfined', 'has no seccompProfile RuntimeDefault'],
  [orders, '      enableServiceLinks: false', '      hostNetwork: true', "shares its node's network"],
  [orders, 'automountServiceAccountToken: false', 'automountServiceAccountToken: true', 'is given a token'],
  [orders, 'allowPrivilegeEscalation: false', 'allowPrivilegeEscalation: true', 'may gain privileges'],
  [orders, 'readOnlyRootFilesystem: true', 'readOnlyRootFilesystem: false', 'can write its root'],
  [orders, '{drop: [ALL]}', '{drop: [ALL], add: [NET_ADMIN]}', 'keeps capabilities'],
  [orders, '{drop: [ALL]}', '{drop: [NET_RAW]}', 'keeps capabilities'],
  [orders, 'cpu: 250m, ', '', 'does not request cpu and memory'],
  [orders, 'limits: {memory: 512Mi}', 'limits: {}', 'has no limit of memory'],
  [orders, 'limits: {', "limits: {cpu: '1', ", 'has a limit of cpu'],
  [orders, '{name: secrets, mountPath', '{name: secret, mountPath', 'mounts secret, which is no volume'],
  [
    orders,
    'env:\n',
    'env:\n            - {name: A, valueFrom: {secretKeyRef: {name: a, key: b}}}\n',
    'has a secret in',
  ],
  [
    orders,
    'env:\n',
    'env:\n            - {name: A, value: "postgres://orders:secret@db/orders"}\n',
    'has a secret in',
  ],
  [
    production,
    'newTag: 0.1.0',
    'newTag: latest',
    'image without a version: registry.example/saturday/orders:latest',
  ],
  [production, ', newTag: 0.1.0', '', 'image without a version: registry.example/saturday/inventory'],
  ['overlays/development/operator/deployment.yaml', 'drop: [ALL]', 'drop: []', 'container catalogue keeps'],
  ['overlays/production/namespace.yaml', 'enforce: restricted', 'enforce: baseline', 'not restricted'],
  [orders, 'src/main.ts', 'src/mian.ts', 'runs src/mian.ts, which is not in its image'],
  ['overlays/development/secrets/job.yaml', 'svc.ts', 'svcs.ts', 'runs packages/dev/src/svcs.ts'],
  [
    orders,
    '      volumes:\n',
    '      volumes:\n        - {name: host, hostPath: {path: /}}\n',
    "mounts its node's files",
  ],
  [orders, 'Escalation: false', 'Escalation: false\n            privileged: true', 'is privileged, or root'],
  [orders, 'envFrom:\n', 'envFrom:\n            - secretRef: {name: a}\n', 'has secrets in its environment'],
  [production, '  - namespace.yaml\n', '', 'an overlay has no Namespace'],
])('ensure a pod that is not confined does not pass: in %s %j as %j', async (file, from, to, problem) => {
  expect(await problemsWith(file, from, to)).toContain(problem);
});
