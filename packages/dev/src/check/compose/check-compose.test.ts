import { spawnSync } from 'node:child_process';
import { cpSync, globSync, mkdtempDisposableSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { root } from '../../repository/paths.ts';
import type { ListedService } from '../deployment/listed-service.ts';
import { testServicesFolder } from '../deployment/testing/services-folder.ts';
import { checkCompose } from './check-compose.ts';
import { composeCommand } from './compose-command.ts';
import { readComposeProject } from './compose-project.ts';
import { containerProblems } from './container-rules.ts';
import { mountProblems } from './mount-rules.ts';

const fixture = new URL('testing', import.meta.url);
const depot: ListedService = { name: 'depot', port: 59999, metricsPort: 9999, calls: {} };

/** Returns the problems of the project in `testing` after a text in all of its files has been replaced. */
async function problemsWith(from = '', to = '', entries = [depot]): Promise<string[]> {
  using folder = mkdtempDisposableSync(join(tmpdir(), 'compose-'));
  cpSync(fixture, folder.path, { recursive: true });
  let changes = 0;
  for (const file of globSync('**/*.{yml,yaml}', { cwd: folder.path })) {
    const path = join(folder.path, file);
    const text = readFileSync(path, 'utf8');
    if (!from || !text.includes(from)) continue;
    changes += 1;
    writeFileSync(path, text.replaceAll(from, to));
  }
  if (from && changes === 0) throw new Error(`no file contains ${from}`);
  const containers = readComposeProject(folder.path) ?? new Map();
  return [
    ...(await containerProblems(entries, containers, testServicesFolder)),
    ...mountProblems(folder.path, containers),
  ];
}

test('a project that keeps every rule has no problems', async () => {
  expect(await problemsWith()).toEqual([]);
});

test.each([
  [
    'LISTEN_ADDRESS: 0.0.0.0:59999',
    'LISTEN_ADDRESS: 0.0.0.0:59998',
    'listens on 59998, and services.ts says 59999',
  ],
  [
    'LISTEN_ADDRESS: 0.0.0.0:59999',
    'LISTEN_ADDRESS: 0.0.0.0:59999\n      WEB_LISTEN_ADDRESS: 0.0.0.0:8059',
    'serves browsers on 8059, and services.ts says no webPort',
  ],
  ['PROMETHEUS_PORT: 9999', 'PROMETHEUS_PORT: 9998', 'exports metrics on 9998, and services.ts says 9999'],
  ['AUTH_AUDIENCE: depot', 'AUTH_AUDIENCE: shop', 'accepts tokens for shop'],
  ['AUTH_AUDIENCE', 'AUTH_AUDIENC', 'sets AUTH_AUDIENC, which it does not read'],
  ['      TLS_CA: /secrets/ca.crt\n', '', 'would not start: TLS_CA is missing'],
  ["['depot-secrets:/secrets:ro']", '[]', 'has no secrets: mount depot-secrets:/secrets:ro'],
  ["['depot-secrets:/secrets/depot']", '[]', 'gets no secrets: mount depot-secrets:/secrets/depot'],
  ['SERVICE: depot', 'SERVICE: shop', 'is not built from services/depot'],
])('a container that would not serve is a problem: %j as %j', async (from, to, problem) => {
  expect(await problemsWith(from, to)).toContainEqual(expect.stringContaining(`container depot ${problem}`));
});

test('a service of services.ts without a container is a problem that names the file to write', async () => {
  const absentee = { name: 'absentee', port: 50053, metricsPort: 9466, calls: {} };
  expect(await problemsWith('', '', [depot, absentee])).toEqual([
    'no container absentee: write deploy/compose/services/absentee.yaml, and list it in docker-compose.yml',
  ]);
});

test('a call without a target is a problem', async () => {
  const calling = { ...depot, calls: { depot: ['depot:read'] } };
  expect(await problemsWith('', '', [calling])).toEqual([
    'depot calls depot: set DEPOT_TARGET=dns:///depot:59999 in deploy/compose/services/depot.yaml',
    'depot calls depot: add spiffe://saturday.invalid/depot=depot:read to AUTH_PEERS in deploy/compose/services/depot.yaml',
  ]);
});

test.each([
  ['./prometheus:/etc', './prometeus:/etc', 'container prometheus mounts prometeus, which does not exist'],
  [
    'prometheus.yml',
    'prometheus.yaml',
    'container prometheus starts with /etc/prometheus/prometheus.yaml, which it does not mount',
  ],
  ['rules/*.yml', 'rules/*.yaml', 'container prometheus reads rules/*.yaml, which matches no mounted file'],
  ['rules/*.yml', '/rules/*.yml', 'container prometheus reads /rules/*.yml, which matches no mounted file'],
  [
    'scrape/*.yml',
    'scrapes/*.yml',
    'container prometheus reads scrapes/*.yml, which matches no mounted file',
  ],
  [
    'path: /etc/grafana/dashboards',
    'path: /dashboards',
    'container grafana loads dashboards from /dashboards, which has none',
  ],
  [
    './grafana/dashboards:',
    './grafana/provisioning/datasources:',
    'container grafana loads dashboards from /etc/grafana/dashboards, which has none',
  ],
  [
    './grafana/provisioning/datasources:',
    './grafana/dashboards:',
    'container grafana provisions no datasources',
  ],
])('a mounted path that matches no file is a problem: %j as %j', async (from, to, problem) => {
  expect(await problemsWith(from, to)).toContainEqual(problem);
});

test('a file that is included and does not exist is an error', async () => {
  await expect(problemsWith('services/depot.yaml', 'services/shop.yaml')).rejects.toThrow('ENOENT');
});

test('the containers of this repository have no problems', async () => {
  expect(await checkCompose()).toBeUndefined();
});

const compose = composeCommand();

test.skipIf(!compose && !process.env.CI)(
  'Compose reads the same containers, environments and commands',
  () => {
    const [command = '', ...args] = compose ?? [];
    const config = spawnSync(command, [...args, '--profile', '*', 'config', '--format', 'json'], {
      cwd: root,
      encoding: 'utf8',
      // Without the variables that the files read.
      env: { PATH: process.env.PATH, HOME: process.env.HOME },
    });
    expect(config.stderr).toBe('');
    const { services: expected } = JSON.parse(config.stdout);
    const containers = readComposeProject(root) ?? new Map();
    expect([...containers.keys()].toSorted()).toEqual(Object.keys(expected).toSorted());
    for (const [name, { environment = {}, command: words }] of containers) {
      const own = Object.entries(environment).map(([key, value]) => [key, String(value ?? '')]);
      expect([name, Object.fromEntries(own)]).toEqual([name, expected[name].environment ?? {}]);
      expect([name, words ?? null]).toEqual([name, expected[name].command]);
    }
  },
);
