import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, globSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type ServerHttp2Stream } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';
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

/** A program that imports a CommonJS package and an ES module, each of which knows its file. */
const paths = `
import commonJs from 'common-js';
import { __dirname } from 'es-module';

console.log(JSON.stringify({ ...commonJs, esModule: __dirname }));
`;

/** Writes an npm package with one module into the folder of a service. */
function writePackage(service: string, name: string, module: string, manifest = {}): void {
  const folder = join(service, 'node_modules', name);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ name, ...manifest }));
  writeFileSync(join(folder, 'index.js'), module);
}

let project: EchoProject;
let image: string;
let keys: SigningKeys;

beforeAll(async () => {
  keys = await createSigningKeys();
  project = await makeEchoProject();
  await project.writeMain('front', main);
  const front = join(project.folder, 'services/front');
  writeFileSync(join(front, 'package.json'), JSON.stringify({ name: '@acme/front', type: 'module' }));
  mkdirSync(join(front, 'src/paths'));
  writeFileSync(join(front, 'src/paths/main.ts'), paths);
  writePackage(front, 'common-js', 'module.exports = { file: __filename, folder: __dirname };');
  writePackage(front, 'es-module', 'export const __dirname = import.meta.dirname;', {
    type: 'module',
    exports: './index.js',
  });
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

/** Starts a collector of OTLP over gRPC. It calls `onExport` with the path of each export. */
async function startGrpcCollector(onExport: (path: string | undefined) => void) {
  const server = createServer();
  server.on('stream', (stream: ServerHttp2Stream, headers) => {
    onExport(headers[':path']);
    stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
    stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
    stream.resume().end(Buffer.alloc(5));
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, [Symbol.dispose]: () => void server.close() };
}

test('a bundled service exports traces, metrics and logs over gRPC', async () => {
  const paths = new Set<string | undefined>();
  using collector = await startGrpcCollector((path) => paths.add(path));
  const environment = {
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
    OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc',
    OTEL_LOGS_EXPORTER: 'otlp',
    OTEL_NODE_ENABLED_INSTRUMENTATIONS: 'grpc',
  };
  await whileServing(environment, async (address) => expect(probe(address)).toBe('SERVING\n'));
  const services = ['trace.v1.Trace', 'metrics.v1.Metrics', 'logs.v1.Logs'];
  expect(paths).toEqual(
    new Set(services.map((name) => `/opentelemetry.proto.collector.${name}Service/Export`)),
  );
});

test('an image has the migrations, and the manifest and licence of each bundled package and no other', () => {
  const files = globSync('**', { cwd: image });
  expect(files).toEqual(expect.arrayContaining(['package.json', 'migrations/0001_front.sql']));
  const packages = files.filter((file) => /node_modules.*package\.json$/.test(file)).map(dirname);
  const installed = packages.filter((folder) => existsSync(join(project.folder, folder)));
  const licences = installed.flatMap((folder) =>
    readdirSync(join(project.folder, folder))
      .filter((file) => /licence|license/i.test(file))
      .map((file) => join(folder, file)),
  );
  expect(licences).toContain('node_modules/@grpc/grpc-js/LICENSE');
  expect(files).toEqual(expect.arrayContaining(licences));
  // A part of the telemetry SDK that only a configuration file needs.
  expect(files).not.toContain('node_modules/@opentelemetry/configuration');
});

test('a bundled CommonJS package knows its file, and an ES module may declare __dirname', () => {
  const { stdout } = spawnSync(process.execPath, ['dist/paths.js'], { cwd: image, encoding: 'utf8' });
  expect(JSON.parse(stdout)).toEqual({
    file: expect.stringMatching(/node_modules.common-js.index\.js$/),
    folder: expect.stringMatching(/node_modules.common-js$/),
    esModule: expect.stringMatching(/dist$/),
  });
});

test('no file of a bundle imports node:http, which would load a client of HTTP', () => {
  const files = globSync('dist/*.js', { cwd: image });
  const imports = (file: string) =>
    /import.*["'](node:)?http["']/.test(readFileSync(join(image, file), 'utf8'));
  expect(files.filter(imports)).toEqual([]);
});

test('a module that loads or reads a file that is not in the image is an error, which says what to do', async () => {
  const back = join(project.folder, 'services/back');
  writePackage(back, 'addon', "exports.path = __dirname + '/build/addon.node';");
  writeFileSync(join(back, 'node_modules/addon/binding.gyp'), '');
  mkdirSync(join(back, 'src/rates'));
  writeFileSync(
    join(back, 'src/rates/rates.ts'),
    "export const file = new URL('rates.json', import.meta.url);",
  );
  await project.writeMain(
    'back',
    `import { path } from 'addon';
     import { file } from './rates/rates.ts';
     console.log(path, file, new URL('../migrations/', import.meta.url), await import(process.argv[2]));`,
  );
  const bundle = project.svc('bundle', 'back', join(project.folder, 'rejected'));
  await bundle.closed;
  expect(bundle.output().trimEnd().split('\n').sort()).toEqual([
    expect.stringMatching(/^services\/back\/node_modules\/addon is machine code,.* in the image `tools`$/),
    expect.stringMatching(
      /^services\/back\/src\/main.ts imports a module whose name it computes: import each/,
    ),
    expect.stringMatching(/^services\/back\/src\/rates\/rates.ts uses import.meta.url,.*: import the data/),
  ]);
});
