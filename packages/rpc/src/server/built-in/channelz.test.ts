import {
  credentials,
  getChannelzServiceDefinition,
  makeClientConstructor,
  type ServiceError,
} from '@grpc/grpc-js';
import { expect, test } from 'vitest';
import { Code } from '../../errors/rpc-error.ts';
import { EchoService } from '../../testing/gen/testing/v1/echo_service_pb.ts';
import { startTestServer } from '../../testing/start-test-server.ts';

const ChannelzClient = makeClientConstructor(getChannelzServiceDefinition(), 'Channelz');

interface Answer {
  readonly error: ServiceError | null;
  readonly response: { readonly server: unknown[] } | undefined;
}

/** Calls channelz without a token, with grpc-js's own definitions. */
function call(target: string, method: string, request: object): Promise<Answer> {
  const client = new ChannelzClient(target, credentials.createInsecure());
  return new Promise<Answer>((resolve) => {
    client[method]?.(request, (error: ServiceError | null, response?: { server: unknown[] }) =>
      resolve({ error, response }),
    );
  }).finally(() => client.close());
}

test('channelz returns the servers of the process', async () => {
  await using server = await startTestServer(EchoService, {}, { reflection: true });
  const { error, response } = await call(server.target, 'getServers', {});
  expect(error).toBeNull();
  expect(response?.server).toContainEqual(
    expect.objectContaining({ data: expect.objectContaining({ calls_started: expect.any(String) }) }),
  );
});

test("channelz returns grpc-js's own error for an unknown id, with the request id of the call", async () => {
  await using server = await startTestServer(EchoService, {}, { reflection: true });
  const { error } = await call(server.target, 'getServer', { server_id: 999_999 });
  expect(error).toMatchObject({ code: Code.NOT_FOUND, details: 'No server data found for id 999999' });
  expect(error?.metadata.get('x-request-id')).toHaveLength(1);
});

test('channelz is UNIMPLEMENTED where reflection is off', async () => {
  await using server = await startTestServer(EchoService, {}, { reflection: false });
  expect((await call(server.target, 'getServers', {})).error?.code).toBe(Code.UNIMPLEMENTED);
});
