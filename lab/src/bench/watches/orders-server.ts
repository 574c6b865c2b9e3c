import { startApp } from '@acme/orders/app';
import { audience, issuer, testServerConfig } from '@acme/rpc/testing';

/** The orders service as a process. On a message, it collects garbage and sends its memory usage. */
const dayMs = 24 * 60 * 60 * 1000;
const [databaseUrl = '', jwks = '', tokenFile = ''] = process.argv.slice(2);
const app = await startApp({
  server: testServerConfig({
    auth: { jwks, issuer, audience, clockToleranceSeconds: 5 },
    logLevel: 'error',
    production: true,
  }),
  databaseUrl,
  databaseDirectUrl: databaseUrl,
  // Nothing listens there: orders stay PENDING, so that one order is one change.
  inventoryTarget: '127.0.0.1:1',
  tokenFile,
  // Longer than the run.
  eventRetentionMs: dayMs,
  requestIdRetentionMs: dayMs,
});
process.on('disconnect', () => process.exit());
process.on('message', () => {
  for (let round = 0; round < 3; round++) globalThis.gc?.();
  process.send?.(process.memoryUsage());
});
process.send?.({ port: app.port });
