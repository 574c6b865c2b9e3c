import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { integer, parseCommandLine, text } from '@acme/dev/cli';
import { startEmbedded } from '@acme/postgres/embedded';
import { createSigningKeys } from '@acme/rpc/testing';
import { fillCompileCache } from '../cluster/compile-cache.ts';
import { openTemporaryFolder } from '../harness/temporary-folder.ts';
import { median, writeReport } from './load/figures.ts';

/** Measures the time from the start of a service's process to SERVING, with a migrated database. */
const { values } = parseCommandLine({
  call: 'npm run bench -- start',
  summary:
    'Measures the time from the start of a process of each service to SERVING, with a migrated database.',
  options: {
    rounds: integer('N', 'number of rounds', { from: 1, fallback: 9 }),
    json: text('FILE', 'file for the result'),
  },
});

await using cleanup = new AsyncDisposableStack();
const folder = cleanup.use(await openTemporaryFolder('bench-start-'));
const keys = cleanup.use(await createSigningKeys());
const database = cleanup.use(await startEmbedded({ dataFolder: join(folder.path, 'postgres') }));
const services = ['inventory', 'orders'];
for (const name of services) await database.ensureDatabase(name);

const mainOf = (name: string) => fileURLToPath(import.meta.resolve(`@acme/${name}/main`));
/** Filled as in the images. */
const compileCache = join(folder.path, 'compiled');
for (const name of services) await fillCompileCache(mainOf(name), compileCache);

async function startMs(name: string): Promise<number> {
  const begunMs = performance.now();
  const child = spawn(process.execPath, [mainOf(name)], {
    env: {
      NODE_COMPILE_CACHE: compileCache,
      NODE_ENV: 'development',
      LISTEN_ADDRESS: '127.0.0.1:0',
      DATABASE_URL: database.url(name),
      AUTH_JWKS: keys.jwks,
      AUTH_ISSUER: 'bench',
      AUTH_AUDIENCE: name,
      AUTH_TOKEN_FILE: keys.jwks,
      INVENTORY_TARGET: '127.0.0.1:1',
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = once(child, 'exit');
  let tookMs = Number.NaN;
  for await (const line of createInterface({ input: child.stdout }))
    if (JSON.parse(line).msg === 'serving') {
      tookMs = performance.now() - begunMs;
      child.kill('SIGKILL');
    }
  await exited;
  return tookMs;
}

// The first start migrates the database and reads every file from disk.
for (const name of services) await startMs(name);
const took = new Map(services.map((name) => [name, [] as number[]]));
for (let round = 0; round < values.rounds; round++)
  for (const name of services) took.get(name)?.push(await startMs(name));
const medians = [...took].map(([name, times]) => [`${name}_start_ms`, median(times)] as const);
await writeReport(
  { start_ms: Math.max(...medians.map(([, ms]) => ms)), ...Object.fromEntries(medians) },
  {
    how: 'process start to SERVING, with a migrated database and a compile cache as in the images',
    jsonFile: values.json,
  },
);
