import { expect, test } from 'vitest';
import { problemsWith } from './testing/problems-with.ts';

test.each([
  ['runAsNonRoot: true', 'runAsNonRoot: false', 'may run as root'],
  ['runAsUser: 1000', 'runAsUser: 0', 'may run as root'],
  ['RuntimeDefault', 'Unconfined', 'has no seccompProfile RuntimeDefault'],
  ['spec:\n      auto', 'spec:\n      hostNetwork: true\n      auto', "shares the node's network"],
  ['automountServiceAccountToken: false', 'automountServiceAccountToken: true', 'gets a token'],
  ['{name: secrets, secret:', '{name: secrets, hostPath: {path: /}, secret:', 'mounts files of the node'],
  ['allowPrivilegeEscalation: false', 'allowPrivilegeEscalation: true', 'may gain privileges'],
  [
    '{allowPrivilegeEscalation',
    '{privileged: true, allowPrivilegeEscalation',
    'is privileged or runs as root',
  ],
  ['readOnlyRootFilesystem: true', 'readOnlyRootFilesystem: false', 'can write to its root'],
  ['readOnlyRootFilesystem', 'readonlyRootFilesystem', 'can write to its root'],
  ['{drop: [ALL]}', '{drop: [ALL], add: [NET_ADMIN]}', 'keeps capabilities'],
  ['{drop: [ALL]}', '{drop: [NET_RAW]}', 'keeps capabilities'],
  ['cpu: 250m, ', '', 'does not request CPU and memory'],
  ['limits: {memory: 512Mi}', 'limits: {}', 'has no memory limit'],
  ['limits: {', "limits: {cpu: '1', ", 'has a CPU limit'],
  [':0.1.0', ':latest', 'image without a version: registry.example/saturday/depot:latest'],
  [':0.1.0', '', 'image without a version: registry.example/saturday/depot'],
  ['value: depot}', 'valueFrom: {secretKeyRef: {name: a, key: b}}}', 'has a secret in its environment'],
  ['value: depot}', 'value: "postgres://depot:secret@host/depot"}', 'has a secret in its environment'],
  ['envFrom:', 'envFrom:\n            - secretRef: {name: a}', 'has secrets in its environment'],
  ['{name: secrets, mountPath', '{name: secret, mountPath', 'mounts secret, which is not a volume'],
  ['128Mi', "128Mi, cpu: '1'", 'Job seed container wait has a CPU limit'],
  ['enforce: restricted', 'enforce: baseline', 'lacks the label pod-security.kubernetes.io/enforce'],
  ['kind: Namespace', 'kind: ServiceAccount', 'there is no Namespace'],
  ['dist/main.js', 'dist/mian.js', 'runs dist/mian.js, which is not in its image'],
  ['health-probe', 'health-prob', 'health-prob.js, which is not in its image'],
  ['.bin/svc', '.bin/svcs', 'runs node_modules/.bin/svcs, which is not in its image'],
])('a pod that is not confined is a problem: %j as %j', async (from, to, problem) => {
  expect(await problemsWith(from, to)).toContainEqual(expect.stringContaining(problem));
});
