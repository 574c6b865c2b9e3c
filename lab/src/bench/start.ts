import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { integer, parseCommandLine, text } from '@acme/dev/cli';
import { root } from '@acme/dev/repository';
import { freePort } from '@acme/dev/start';
import { startEmbedded } from '@acme/postgres/embedded';
import { fillCompileCache } from '../cluster/compile-cache.ts';
import { imageEnvironment } from '../cluster/image-environment.ts';
import { openTemporaryFolder } from '../harness/temporary-folder.ts';
import { median, writeReport } from './load/figures.ts';
import { residentMb } from './load/resident-memory.ts';
import { hasProcessorTimes, processorMs } from './turns/processor-time.ts';
import { quartilesOf } from './turns/quartiles.ts';

/** Time after SERVING at which a service is at rest: V8 has returned what the start has used. */
const restMs = 10_000;

/**
 * Measures the time from the start of a service's process to SERVING, and its memory at rest: with a migrated database, mutual
 * TLS, metrics and traces, from the files of its image.
 */
const { values } = parseCommandLine({
  call: 'npm run bench -- start',
  summary:
    'Measures the time from the start of a process of each service to SERVING, with a migrated database, and its memory at rest.',
  options: {
    rounds: integer('N', 'number of rounds', { from: 1, fallback: 9 }),
    json: text('FILE', 'file for the result'),
  },
});

await using cleanup = new AsyncDisposableStack();
const folder = cleanup.use(await openTemporaryFolder('bench-start-'));
const database = cleanup.use(await startEmbedded({ dataFolder: join(folder.path, 'postgres') }));
const services = ['inventory', 'orders'];
const secrets = join(folder.path, 'secrets');
await svc('secrets', secrets);
for (const name of services) {
  await database.ensureDatabase(name);
  // As the Dockerfile does.
  await svc('bundle', name, imageOf(name));
  await fillCompileCache(join(imageOf(name), 'dist/main.js'), join(imageOf(name), 'compiled'));
}

async function svc(...args: string[]): Promise<void> {
  await promisify(execFile)(process.execPath, [join(root, 'node_modules/.bin/svc'), ...args], { cwd: root });
}

function imageOf(name: string): string {
  return join(folder.path, name);
}

interface Start {
  readonly tookMs: number;
  /** Processor time until SERVING. NaN if this system does not say it. */
  readonly processorMs: number;
  /** RSS in MB at the end of the rest, if there is one. */
  readonly restingMb: number;
}

async function start(name: string, rest = 0): Promise<Start> {
  const secret = (file: string) => join(secrets, name, file);
  const metricsPort = String(await freePort());
  const begunMs = performance.now();
  const child = spawn(process.execPath, ['dist/main.js'], {
    cwd: imageOf(name),
    env: {
      ...imageEnvironment,
      NODE_COMPILE_CACHE: 'compiled',
      NODE_ENV: 'development',
      LISTEN_ADDRESS: '127.0.0.1:0',
      DATABASE_URL: database.url(name),
      TLS_MODE: 'mtls',
      TLS_CERT: secret('tls.crt'),
      TLS_KEY: secret('tls.key'),
      TLS_CA: secret('ca.crt'),
      AUTH_JWKS: secret('jwks.json'),
      AUTH_ISSUER: 'bench',
      AUTH_AUDIENCE: name,
      INVENTORY_TARGET: 'dns:///localhost:1',
      OTEL_METRICS_EXPORTER: 'prometheus',
      OTEL_EXPORTER_PROMETHEUS_PORT: metricsPort,
      // No collector: there are no calls to trace.
      OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:1',
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = once(child, 'exit');
  const result = { tookMs: Number.NaN, processorMs: Number.NaN, restingMb: Number.NaN };
  for await (const line of createInterface({ input: child.stdout })) {
    if (JSON.parse(line).msg !== 'serving') continue;
    const { pid = 0 } = child;
    result.tookMs = performance.now() - begunMs;
    if (hasProcessorTimes) result.processorMs = await processorMs(pid);
    await sleep(rest);
    result.restingMb = await residentMb(pid);
    child.kill('SIGKILL');
  }
  await exited;
  return result;
}

/** Returns the number of files in the image of a service over its base, and their size in MB. */
async function contentOf(name: string): Promise<{ files: number; sizeMb: number }> {
  const entries = await readdir(imageOf(name), { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  const sizes = await Promise.all(
    files.map(async (file) => (await stat(join(file.parentPath, file.name))).size),
  );
  return { files: files.length, sizeMb: sizes.reduce((sum, size) => sum + size, 0) / 1e6 };
}

// The first start migrates the database and reads every file from disk.
for (const name of services) await start(name);
const starts = new Map(services.map((name) => [name, [] as Start[]]));
for (let round = 1; round <= values.rounds; round++)
  for (const name of services)
    starts.get(name)?.push(await start(name, round === values.rounds ? restMs : 0));
const medians = [...starts].map(
  ([name, each]) => [`${name}_start_ms`, median(each.map(({ tookMs }) => tookMs))] as const,
);
const processorTimes = [...starts.values()].map(
  (each) => quartilesOf(each.map((one) => one.processorMs)).lower,
);
const contents = await Promise.all(services.map(contentOf));
await writeReport(
  {
    start_ms: Math.max(...medians.map(([, ms]) => ms)),
    ...Object.fromEntries(medians),
    start_cpu_ms: Math.max(...processorTimes),
    idle_rss_mb: Math.max(...[...starts.values()].map((each) => each.at(-1)?.restingMb ?? Number.NaN)),
    image_files: Math.max(...contents.map(({ files }) => files)),
    image_mb: Math.max(...contents.map(({ sizeMb }) => sizeMb)),
  },
  {
    how: 'process start to SERVING with the files of the images, mutual TLS, telemetry and a migrated database',
    jsonFile: values.json,
  },
);
