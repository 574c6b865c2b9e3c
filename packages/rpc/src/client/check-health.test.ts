import { InventoryService } from '@acme/gen/inventory/v1/inventory_service_pb';
import { expect, test } from 'vitest';
import { startProxy } from '../testing/network/start-proxy.ts';
import { startTestServer } from '../testing/start-test-server.ts';
import { checkHealth } from './check-health.ts';

test('ensure a server is healthy once it says that it is ready, also where the environment names a proxy', async () => {
  await using server = await startTestServer(InventoryService, {});
  await using proxy = await startProxy();
  expect(await checkHealth(server.target)).toBe(false);
  server.running.setReady(true);
  expect(await checkHealth(server.target)).toBe(true);
  expect(proxy.connections).toBe(0);
});

test('ensure an address where nobody listens is not healthy', async () => {
  const server = await startTestServer(InventoryService, {});
  await server[Symbol.asyncDispose]();
  expect(await checkHealth(server.target)).toBe(false);
});
