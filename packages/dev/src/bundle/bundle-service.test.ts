import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { globSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { createClient } from '@acme/rpc/client';
import { Channelz } from '@acme/rpc/gen/grpc/channelz/v1/channelz_pb';
import { audience, createSigningKeys, issuer, type SigningKeys, startOtlpCollector } from '@acme/rpc/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type EchoProject, makeEchoProject } from '../start/testing/echo-project.ts';

/** A service whose only methods are those of the kit: health, and channelz in development. */
const main = `
import '@acme/rpc/telemetry/register';
import { readEnvironment } from '@acme/rpc/config';
import { createLogger } from '@acme/rpc/logging';
import { readServerConfig, runUntilSignal, startService } from '@acme/rpc/server';

await runUntilSignal(async () => {
  const config = readServerConfig(readEnvironment(process.env), '127.0.0.1:0');
  const log = createLogger({ service: 'front', level: 'info' });
  const options = { services: [], errorMap: () => undefined, checkReadiness: async () => {} };
  const service = await startService({ config, log, ...options });
  return { closeTimeoutMs: service.closeTimeoutMs, close: () => service.drain() };
});
`;

let project: EchoProject;
let image: string;
let keys: SigningKeys;

beforeAll(async () => {
  keys = await createSigningKeys();
  project = await makeEchoProject();
  await project.writeMain('front', main);
  const front = join(project.folder, 'services/front');
  writeFileSync(join(front, 'package.json'), JSON.stringify({ name: '@acme/front', type: 'module' }));
  mkdirSync(join(front, 'migrations'));
  writeFileSync(join(front, 'migrations/0001_front.sql'), '');
  image = join(project.folder, 'image');
  const bundle = project.svc('bundle', 'front', image);
  await bundle.closed;
  expect(bundle.output()).toBe('');
});

afterAll(async () => {
  await project[Symbol.asyncDispose]();
  await keys[Symbol.asyncDispose]();
});

/** Runs the bundled service while `use` runs. It exits with 0. */
async function whileServing(
  environment: Readonly<Record<string, string>>,
  use: (address: string) => Promise<void>,
): Promise<void> {
  const child = spawn(process.execPath, ['dist/main.js'], {
    cwd: image,
    env: {
      NODE_ENV: 'development',
      LISTEN_ADDRESS: '127.0.0.1:0',
      AUTH_JWKS: keys.jwks,
      AUTH_ISSUER: issuer,
      AUTH_AUDIENCE: audience,
      ...environment,
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = once(child, 'exit');
  for await (const line of createInterface({ input: child.stdout })) {
    const { msg, port } = JSON.parse(line);
    if (msg !== 'serving') continue;
    await use(`127.0.0.1:${port}`).finally(() => child.kill('SIGTERM'));
  }
  expect(await exited).toEqual([0, null]);
}

function probe(address: string): string {
  const env = { HEALTH_TARGET: address };
  return spawnSync(process.execPath, ['dist/health-probe.js'], { cwd: image, env, encoding: 'utf8' }).stdout;
}

/** Returns the servers of the process, which grpc-js describes by .proto files of its own. */
async function channelzServers(target: string): Promise<unknown[]> {
  const policies = { [Channelz.typeName]: { deadlineMs: 5000, maxDeadlineMs: 5000, scopes: [] } };
  using channelz = createClient(Channelz, { target, policies });
  return (await channelz.getServers({})).server;
}

test('a bundled service is healthy, has channelz, and is traced by the official instrumentation', async () => {
  await using collector = await startOtlpCollector();
  const environment = { ...collector.environment, OTEL_NODE_ENABLED_INSTRUMENTATIONS: 'grpc' };
  await whileServing(environment, async (address) => {
    expect(probe(address)).toBe('SERVING\n');
    expect(await channelzServers(address)).toHaveLength(1);
  });
  const span = { service: 'front', scope: '@opentelemetry/instrumentation-grpc' };
  const names = ['grpc.health.v1.Health/Check', 'grpc.channelz.v1.Channelz/GetServers'];
  expect(collector.spans).toEqual(
    names.map((name) => expect.objectContaining({ ...span, name: `grpc.${name}` })),
  );
  expect(collector.metrics).toContain('nodejs.eventloop.utilization');
});

test('an image has the migrations, and the manifest and licence of each bundled package and no other', () => {
  const files = globSync('**', { cwd: image });
  expect(files).toEqual(
    expect.arrayContaining([
      'package.json',
      'migrations/0001_front.sql',
      'node_modules/@grpc/grpc-js/LICENSE',
    ]),
  );
  // A part of the telemetry SDK that only a configuration file needs.
  expect(files).not.toContain('node_modules/@opentelemetry/configuration');
});

test('no file of a bundle imports node:http, which would load a client of HTTP', () => {
  const files = globSync('dist/*.js', { cwd: image });
  const imports = (file: string) =>
    /import.*["'](node:)?http["']/.test(readFileSync(join(image, file), 'utf8'));
  expect(files.filter(imports)).toEqual([]);
});
