import type { DeploymentSpec } from 'kubernetes-types/apps/v1.d.ts';
import { expect, test } from 'vitest';
import type { ServiceSettings } from '../deployment/service-settings.ts';
import { connectionProblems } from './connection-rules.ts';
import { type Manifest, parseManifests } from './manifest.ts';
import { problemsWith } from './testing/problems-with.ts';

/** Five replicas of eleven connections each need 55 of 58, of which three are reserved. */
const database = "saturday/max-connections: '58'";

test.each([
  [
    database,
    "saturday/max-connections: '57'",
    'NetworkPolicy database permits 54 connections, and 5 replicas of depot with 11 each have up to 55: raise its max_connections to 58, or lower maxReplicas',
  ],
  ['maxReplicas: 4', 'maxReplicas: 5', 'and 6 replicas of depot with 11 each have up to 66'],
  ['maxSurge: 1', 'maxSurge: 2', 'and 6 replicas of depot with 11 each have up to 66'],
  [database, '', 'no max_connections: add the annotation saturday/max-connections'],
  [database, "saturday/max-connections: 'many'", 'no max_connections: add the annotation'],
])('connections that the server does not permit are a problem: %j as %j', async (from, to, problem) => {
  expect(await problemsWith(from, to)).toEqual([expect.stringContaining(problem)]);
});

/** Returns the problems of two services, ten replicas of each, with these manifests of the database. */
function problemsOf(text: string): string[] {
  const deployment = (name: string): Manifest<Partial<DeploymentSpec>> => ({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name },
    spec: { replicas: 9, strategy: { rollingUpdate: { maxSurge: 1 } } },
  });
  const settings = new Map(
    ['shop', 'depot'].map((name) => [name, { connections: { shared: 15, direct: 1 } } as ServiceSettings]),
  );
  return connectionProblems([deployment('shop'), deployment('depot'), ...parseManifests(text)], settings);
}

const statefulSet = (args: string) =>
  `{kind: StatefulSet, metadata: {name: db}, spec: {template: {spec: {containers: [{image: 'postgres:18', args: ${args}}]}}}}`;

test('a StatefulSet of PostgreSQL permits what its arguments say, and 100 connections without any', () => {
  expect(problemsOf(statefulSet('[postgres, -c, max_connections=323]'))).toEqual([]);
  expect(problemsOf(statefulSet('[postgres]'))).toEqual([
    expect.stringContaining('StatefulSet db permits 97 connections'),
  ]);
});

const cluster = (max: number) =>
  `{kind: Cluster, metadata: {name: db}, spec: {postgresql: {parameters: {max_connections: '${max}'}}}}`;
const pooler = (parameters: string) =>
  `\n---\n{kind: Pooler, metadata: {name: pool}, spec: {instances: 2, pgbouncer: {parameters: ${parameters}}}}`;

test('behind a pooler, the server has its connections and the direct ones of the replicas', () => {
  const parameters = "{default_pool_size: '25', max_client_conn: '300'}";
  expect(problemsOf(cluster(123) + pooler(parameters))).toEqual([]);
  expect(problemsOf(cluster(122) + pooler(parameters))).toEqual([
    "Cluster db permits 119 connections, and Pooler pool for 2 databases and the replicas' direct connections have up to 120: raise its max_connections to 123, or lower maxReplicas",
  ]);
  expect(problemsOf(cluster(323))).toEqual([]);
});

test('one instance of a pooler accepts the clients of all replicas', () => {
  const problems = problemsOf(cluster(200) + pooler("{max_client_conn: '299'}"));
  expect(problems).toEqual([
    'Pooler pool permits 299 clients, and the replicas are up to 300: raise max_client_conn',
  ]);
});
