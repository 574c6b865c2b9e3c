import { expect, test } from 'vitest';
import { EchoService } from '../../testing/gen/testing/v1/echo_service_pb.ts';
import { startProxy } from '../../testing/network/start-proxy.ts';
import { startTestServer } from '../../testing/start-test-server.ts';
import { checkHealth } from './check-health.ts';

test('a server is healthy once it is ready, even if the environment names a proxy', async () => {
  await using server = await startTestServer(EchoService, {});
  await using proxy = await startProxy();
  expect(await checkHealth(server.target)).toBe(false);
  server.running.setReady(true);
  expect(await checkHealth(server.target)).toBe(true);
  expect(proxy.connections).toBe(0);
});

test('an address without a listener is not healthy', async () => {
  const server = await startTestServer(EchoService, {});
  await server[Symbol.asyncDispose]();
  expect(await checkHealth(server.target)).toBe(false);
});
