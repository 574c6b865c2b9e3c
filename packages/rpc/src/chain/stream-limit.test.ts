import { InventoryService } from '@acme/gen/inventory/v1/inventory_service_pb';
import { expect, test, vi } from 'vitest';
import { Code } from '../errors/rpc-error.ts';
import { rejectionOf } from '../testing/rejection-of.ts';
import { startTestServer } from '../testing/start-test-server.ts';
import { streamLimit } from './stream-limit.ts';

/** Two streams may be open; each sends one message and then ignores everything, its signal included. */
function startLimited() {
  return startTestServer(
    InventoryService,
    {
      getStock: async () => ({}),
      async *watchStock() {
        yield { resumeToken: 'first' };
        await new Promise<never>(() => {});
      },
      async *countStock(requests) {
        for await (const { sku } of requests) yield { sku };
      },
    },
    { interceptors: (chain) => [...chain, streamLimit(2)] },
  );
}

test('a stream beyond the limit is rejected, and a unary call is not', async () => {
  await using server = await startLimited();
  const first = server.client.watchStock({});
  const second = server.client.watchStock({});
  await Promise.all([first.next(), second.next()]);
  expect(await rejectionOf(server.client.countStock([]).next())).toMatchObject({
    code: Code.RESOURCE_EXHAUSTED,
    message: 'the server has too many open streams',
  });
  await server.client.getStock({ sku: 'A' });
});

test('a stream makes room when it ends, and when it is cancelled though its handler goes on', async () => {
  await using server = await startLimited();
  for (let count = 0; count < 3; count++) await Array.fromAsync(server.client.countStock([{ sku: 'A' }]));
  const cancelled = [server.client.watchStock({}), server.client.watchStock({})];
  for (const stream of cancelled) await stream.next();
  for (const stream of cancelled) await stream.return?.();
  const openAnother = () => server.client.watchStock({}).next().catch(String);
  await vi.waitUntil(async () => typeof (await openAnother()) === 'object', { timeout: 15_000 });
});
