import { mkdtempDisposable } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeDevelopmentCertificates } from '@acme/dev/credentials';
import { announceServices } from '@acme/dev/repository';
import { InventoryService } from '@acme/gen/inventory/v1/inventory_service_pb';
import { channelCredentials, createClient } from '@acme/rpc/client';
import { createLogger } from '@acme/rpc/logging';
import { serverCredentials } from '@acme/rpc/server';
import { startTestServer } from '@acme/rpc/testing';
import { expect, test } from 'vitest';
import { findRunningPair } from './pair.ts';

test('a pair with mutual TLS is found by its announcement and called with the announced certificates', async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'pair-'));
  await makeDevelopmentCertificates({ folder: folder.path, names: ['inventory'], now: new Date() });
  const tls = { certFile: 'inventory.crt', keyFile: 'inventory.key', caFile: 'ca.crt' };
  const files = {
    mode: 'mtls' as const,
    certFile: join(folder.path, tls.certFile),
    keyFile: join(folder.path, tls.keyFile),
    caFile: join(folder.path, tls.caFile),
  };
  const options = { developmentCertificates: true, log: createLogger({ service: 'test', level: 'silent' }) };
  await using server = await startTestServer(
    InventoryService,
    { getStock: async ({ sku }) => ({ stock: { sku } }) },
    {
      credentials: {
        server: await serverCredentials(files, options),
        channel: await channelCredentials(files, options),
      },
    },
  );
  const target = `127.0.0.1:${server.running.port}`;
  const announced = { targets: { orders: target, inventory: target } };
  await announceServices(folder.path, { ...announced, tls });
  expect(await findRunningPair(folder.path)).toBeUndefined();
  server.running.setReady(true);
  const pair = await findRunningPair(folder.path);
  using inventory = createClient(InventoryService, {
    target,
    credentials: pair?.credentials,
    token: () => 'token',
  });
  expect(await inventory.getStock({ sku: 'A' }, { deadlineMs: 5000 })).toMatchObject({ stock: { sku: 'A' } });
  await announceServices(folder.path, announced);
  expect(await findRunningPair(folder.path)).toBeUndefined();
});
