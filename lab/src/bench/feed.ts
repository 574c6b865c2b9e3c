import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { integer, parseCommandLine, text } from '@acme/dev/cli';
import { OrderService } from '@acme/gen/orders/v1/order_service_pb';
import { startApp } from '@acme/orders/app';
import { startEmbedded } from '@acme/postgres/embedded';
import { openPool } from '@acme/postgres/pool';
import { createClient } from '@acme/rpc/client';
import { audience, createSigningKeys, issuer, testServerConfig } from '@acme/rpc/testing';
import { openTemporaryFolder } from '../harness/temporary-folder.ts';
import { runFeed } from './feed/run-feed.ts';

/** Checks that watchers that end and resume on two replicas receive every event once, in order, with 16 writers. */
const { values } = parseCommandLine({
  call: 'npm run bench -- feed',
  summary:
    'Checks that watchers that end and resume on two replicas receive every event once, in order, with 16 writers.',
  options: {
    events: integer('N', 'number of events', { from: 1, fallback: 100_000 }),
    json: text('FILE', 'file for the result'),
  },
});

await using started = new AsyncDisposableStack();
const folder = started.use(await openTemporaryFolder('bench-feed-'));
const database = started.use(await startEmbedded({ dataFolder: join(folder.path, 'postgres') }));
await database.ensureDatabase('orders');
const databaseUrl = database.url('orders');
const keys = started.use(await createSigningKeys());
const token = await keys.sign({ sub: 'bench', scope: 'orders:read orders:read:any', exp: 2 ** 31 });
const tokenFile = join(folder.path, 'token');
await writeFile(tokenFile, token);

/** Longer than the run. */
const retentionMs = 24 * 60 * 60 * 1000;

const startReplica = async () => {
  const app = await startApp({
    server: testServerConfig({
      auth: { jwks: keys.jwks, issuer, audience, clockToleranceSeconds: 5 },
      logLevel: 'error',
    }),
    databaseUrl,
    databaseDirectUrl: databaseUrl,
    // Nothing listens there: the writers do not use the service.
    inventoryTarget: '127.0.0.1:1',
    eventRetentionMs: retentionMs,
    requestIdRetentionMs: retentionMs,
    tokenFile,
  });
  started.adopt(app, (each) => each.close());
  return started.use(createClient(OrderService, { target: `127.0.0.1:${app.port}`, token: () => token }));
};
const replicas = [await startReplica(), await startReplica()];
const pool = started.adopt(
  openPool({ url: databaseUrl, max: 16, applicationName: 'bench', onError: () => {} }),
  (each) => each.end(),
);

const startMs = performance.now();
const { events, resumptions, problems } = await runFeed({
  pool,
  replicas,
  events: values.events,
  writers: 16,
  watchers: 8,
});
const result = {
  events,
  resumptions,
  problems: problems.length,
  seconds: (performance.now() - startMs) / 1000,
};
for (const problem of problems) process.stdout.write(`${problem}\n`);
process.stdout.write(`${JSON.stringify(result)}\n`);
if (values.json) await writeFile(values.json, JSON.stringify(result));
if (problems.length > 0) process.exitCode = 1;
