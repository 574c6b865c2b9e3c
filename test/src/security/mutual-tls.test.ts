import { randomUUID } from 'node:crypto';
import { mkdtempDisposable } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { developmentTrustDomain, makeDevelopmentCertificates } from '@acme/dev/credentials';
import { InventoryService } from '@acme/gen/inventory/v1/inventory_service_pb';
import { Order_State } from '@acme/gen/orders/v1/order_pb';
import { OrderService } from '@acme/gen/orders/v1/order_service_pb';
import { startApp as startInventory } from '@acme/inventory/app';
import { startApp as startOrders } from '@acme/orders/app';
import { createTestDatabase } from '@acme/postgres/testing';
import { channelCredentials, createClient } from '@acme/rpc/client';
import { createLogger } from '@acme/rpc/logging';
import type { ServerConfig } from '@acme/rpc/server';
import { createSigningKeys, issuer, testServerConfig } from '@acme/rpc/testing';
import { expect, test } from 'vitest';
import { retentions } from '../support/retention.ts';

test('orders calls inventory over mutual TLS, authenticated by its certificate alone', async () => {
  await using started = new AsyncDisposableStack();
  const keys = started.use(await createSigningKeys());
  const { path: folder } = started.use(await mkdtempDisposable(join(tmpdir(), 'mutual-tls-')));
  await makeDevelopmentCertificates({ folder, names: ['orders', 'inventory', 'client'], now: new Date() });
  const tlsOf = (name: string) => ({
    mode: 'mtls' as const,
    certFile: join(folder, `${name}.crt`),
    keyFile: join(folder, `${name}.key`),
    caFile: join(folder, 'ca.crt'),
  });
  const server = (name: string, peers: ServerConfig['peers']) =>
    testServerConfig({
      auth: { jwks: keys.jwks, issuer, audience: name, clockToleranceSeconds: 5 },
      peers,
      tls: tlsOf(name),
    });

  const ordersId = `spiffe://${developmentTrustDomain}/orders`;
  const peers = new Map([[ordersId, new Set(['inventory:reserve'])]]);
  const database = async () => {
    const { url } = started.use(await createTestDatabase());
    return { databaseUrl: url, databaseDirectUrl: url };
  };
  const inventory = started.adopt(
    await startInventory({
      server: server('inventory', peers),
      ...(await database()),
      ...retentions,
    }),
    (app) => app.close(),
  );
  const orders = started.adopt(
    await startOrders({
      server: server('orders', new Map()),
      ...(await database()),
      inventoryTarget: `127.0.0.1:${inventory.port}`,
      tokenFile: undefined,
      ...retentions,
    }),
    (app) => app.close(),
  );

  const log = createLogger({ service: 'client', level: 'silent' });
  const credentials = await channelCredentials(tlsOf('client'), { developmentCertificates: true, log });
  const optionsFor = async (aud: string, port: number) => {
    const token = await keys.sign({ sub: 'alice', aud, scope: `${aud}:write` });
    return { target: `127.0.0.1:${port}`, credentials, token: () => token };
  };
  using warehouse = createClient(InventoryService, await optionsFor('inventory', inventory.port));
  using shop = createClient(OrderService, await optionsFor('orders', orders.port));
  await warehouse.importStock([{ importId: randomUUID(), item: { sku: 'X', title: 'X', onHand: 1n } }]);
  const { order } = await shop.placeOrder({ requestId: randomUUID(), lines: [{ sku: 'X', quantity: 1 }] });
  expect(order?.state).toBe(Order_State.CONFIRMED);
});
