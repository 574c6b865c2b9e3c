import { InventoryService } from '@acme/gen/inventory/v1/inventory_service_pb';
import {
  credentials,
  getChannelzServiceDefinition,
  makeClientConstructor,
  type ServiceError,
} from '@grpc/grpc-js';
import { expect, test } from 'vitest';
import { Code } from '../errors.ts';
import { startTestServer } from '../testing/start-test-server.ts';

const ChannelzClient = makeClientConstructor(getChannelzServiceDefinition(), 'Channelz');

/** The servers that a process knows of, asked without a token. */
async function askForServers(target: string): Promise<{ error: ServiceError | null; servers: unknown[] }> {
  const client = new ChannelzClient(target, credentials.createInsecure());
  return new Promise<{ error: ServiceError | null; servers: unknown[] }>((resolve) => {
    client.getServers?.({}, (error: ServiceError | null, answer?: { server: unknown[] }) =>
      resolve({ error, servers: answer?.server ?? [] }),
    );
  }).finally(() => client.close());
}

test('ensure channelz shows the server to whoever may see it', async () => {
  await using server = await startTestServer(InventoryService, {}, { reflection: true });
  const { error, servers } = await askForServers(server.target);
  expect(error).toBeNull();
  expect(servers.length).toBeGreaterThan(0);
});

test('ensure channelz is UNIMPLEMENTED where reflection is', async () => {
  await using server = await startTestServer(InventoryService, {}, { reflection: false });
  expect((await askForServers(server.target)).error?.code).toBe(Code.UNIMPLEMENTED);
});
