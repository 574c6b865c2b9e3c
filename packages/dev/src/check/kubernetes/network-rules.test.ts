import { expect, test } from 'vitest';
import { problemsWith } from './testing/problems-with.ts';

test.each([
  ['[Ingress, Egress]', '[Ingress]', 'no NetworkPolicy denies all other traffic'],
  [
    '[{port: metrics}]',
    '[{port: metric}]',
    'NetworkPolicy depot allows port metric, which the pods do not have',
  ],
  ['[{port: 59999}]', '[{port: 59998}]', 'NetworkPolicy seed allows port 59998, which the pods do not have'],
  [
    '- from: [{podSelector: {matchLabels: {app',
    '- from: [{podSelector: {matchLabels: {ap',
    'allows pods that do not exist',
  ],
  [
    '- to: [{podSelector: {matchLabels: {app',
    '- to: [{podSelector: {matchLabels: {ap',
    'allows pods that do not exist',
  ],
  [
    'podSelector: {matchLabels: {app.kubernetes.io/name: seed',
    'podSelector: {matchLabels: {app: seed',
    'NetworkPolicy seed selects no pod',
  ],
  [
    'labels: {app.kubernetes.io/name: seed}',
    'labels: {app: seed}',
    'Job seed: no NetworkPolicy selects its pods',
  ],
  ['selector: {app.kubernetes.io/name: depot}', 'selector: {app: depot}', 'Service depot selects no pod'],
  ['port: 59999, target', 'port: 443, target', 'Service depot has port 443, which its pods do not'],
])('a network rule that does not match the pods is a problem: %j as %j', async (from, to, problem) => {
  expect(await problemsWith(from, to)).toContainEqual(expect.stringContaining(problem));
});
