import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { root } from '../repository/paths.ts';
import { checkWorkflows, workflowProblems } from './check-workflows.ts';

const checkout = 'actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1';

const good = `
name: ci
on: [push]
permissions: {}
concurrency: ci
jobs:
  check:
    runs-on: ubuntu-24.04
    permissions: { contents: read }
    timeout-minutes: 10
    steps:
      - uses: ${checkout}
        with: { persist-credentials: false }
      - run: npm run check
`;

test('the workflows of this repository, and one that keeps every rule, have no problems', async () => {
  expect(await checkWorkflows()).toBeUndefined();
  expect(await workflowProblems('ci.yml', good)).toEqual([]);
});

describe.each([
  ['an action by its tag', checkout, 'actions/checkout@v7', 'actions/checkout@v7 is not pinned'],
  [
    'an action by a branch',
    checkout,
    'actions/checkout@main # v7.0.1',
    'actions/checkout@main is not pinned',
  ],
  ['a digest without its version', ' # v7.0.1', '', 'lacks a comment with its version'],
  ['a digest with half a version', '# v7.0.1', '# v7', 'lacks a comment with its version'],
  [
    'a job that calls an unpinned workflow',
    '  check:',
    '  other: { uses: acme/ci/.github/workflows/a.yml@v1, permissions: {} }\n  check:',
    'acme/ci',
  ],
  [
    'permissions of the whole run',
    'permissions: {}',
    'permissions: { contents: read }',
    'permissions: {} is missing at the top',
  ],
  ['no permissions', '    permissions: { contents: read }\n', '', 'job check has no permissions'],
  ['no time limit', '    timeout-minutes: 10\n', '', 'job check has no timeout-minutes'],
  ['no concurrency', 'concurrency: ci\n', '', 'concurrency is missing'],
  ['a token left in .git', 'persist-credentials: false', 'fetch-depth: 0', 'leaves its token in .git'],
  [
    "outside code with the repository's secrets",
    'on: [push]',
    'on: { pull_request_target: {} }',
    'pull_request_target runs outside code',
  ],
  ['a misspelt event', 'on: [push]', 'on: [psuh]', 'psuh'],
  ['a misspelt key', '- run: npm run check', '- rnu: npm run check', 'rnu'],
  ['an unknown permission', 'contents: read', 'contents: reed', 'reed'],
  [
    'a job that needs an unknown job',
    '    timeout-minutes',
    '    needs: [nothing]\n    timeout-minutes',
    'nothing',
  ],
  ['an invalid expression', 'npm run check', `echo $${'{{'} github.actor = 1 }}`, 'Unexpected symbol'],
  [
    "a commit's message in a script",
    'npm run check',
    `echo $${'{{'} github.event.head_commit.message }}`,
    'untrusted text',
  ],
  [
    'a matrix that may be empty',
    '  check:',
    `  list:
    runs-on: ubuntu-24.04
    permissions: {}
    timeout-minutes: 1
    outputs: { names: '[]' }
    steps: [{ run: ls services }]
  check:
    needs: list
    strategy: { matrix: { service: "$${'{{'} fromJSON(needs.list.outputs.names) }}" } }`,
    'job check fails when the list of its matrix is empty',
  ],
  ['invalid YAML', 'name: ci', 'name: [ci', 'ci.yml:3'],
])('a workflow with %s', (_name, replace, replacement, complaint) => {
  test('has a problem', async () => {
    const problems = await workflowProblems('ci.yml', good.replace(replace, replacement));
    expect(problems.join('\n')).toContain(complaint);
  });
});

test('CI and version managers use the Node that npm scripts run on', () => {
  const read = (file: string) => readFileSync(join(root, file), 'utf8');
  const [major] = JSON.parse(read('package.json')).devDependencies.node.split('.');
  expect(read('.nvmrc').trim()).toBe(major);
  expect(read('.github/workflows/ci.yml')).toContain(`name: the pinned Node, node: '${major}'`);
});
