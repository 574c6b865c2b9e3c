import { expect, test } from 'vitest';
import type { ServiceSettings } from '../deployment/service-settings.ts';
import { databaseProblems } from './database-rules.ts';
import { parseManifests } from './manifest.ts';

const cluster = '{kind: Cluster, metadata: {name: postgres}, spec: {managed: {roles: [{name: depot}]}}}';
const database =
  '{kind: Database, metadata: {name: depot}, spec: {cluster: {name: postgres}, name: depot, owner: depot}}';

/** Returns the problems of depot, which has a database, and of a service without one. */
function problemsOf(...manifests: readonly string[]): string[] {
  const settings = new Map([
    ['depot', { connections: { shared: 5, direct: 1 } } as ServiceSettings],
    ['gateway', {} as ServiceSettings],
  ]);
  return databaseProblems(parseManifests(manifests.join('\n---\n')), settings);
}

test('a service whose database and role the cluster has is no problem', () => {
  expect(problemsOf(cluster, database)).toEqual([]);
});

test.each([
  ['name: postgres}, name: depot', 'name: other}, name: depot', 'has no Database depot: write deploy/'],
  ['name: depot, owner', 'name: stock, owner', 'has no Database depot: write deploy/'],
  ['owner: depot', 'owner: shop', 'has no role shop: add it to managed.roles'],
])('a database or a role that the cluster lacks is a problem: %j as %j', (from, to, problem) => {
  expect(problemsOf(cluster, database.replace(from, to))).toEqual([
    expect.stringContaining(`Cluster postgres ${problem}`),
  ]);
});

test('an overlay without a cluster needs no database', () => {
  expect(problemsOf('{kind: Namespace, metadata: {name: shop}}')).toEqual([]);
});
