import { Code, RpcError } from '@acme/rpc/errors';
import { BadRequestSchema } from '@acme/rpc/gen/google/rpc/error_details_pb';
import { rejectionOf, startTestServer } from '@acme/rpc/testing';
import { expect, test } from 'vitest';
import { GreetingService } from '../../../gen/greeting/v1/greeting_service_pb.ts';
import { greetings } from './greetings.ts';

test('a person is greeted in the name of the caller', async () => {
  await using server = await startTestServer(GreetingService, greetings);
  expect(await server.client.greet({ name: 'Ada' })).toMatchObject({ text: 'tester greets Ada' });
});

test('an empty name violates the contract', async () => {
  await using server = await startTestServer(GreetingService, greetings);
  const error = await rejectionOf(server.client.greet({ name: '' }));
  expect(error).toBeInstanceOf(RpcError);
  expect(error).toMatchObject({ code: Code.INVALID_ARGUMENT });
  expect((error as RpcError).findDetail(BadRequestSchema)?.fieldViolations).toMatchObject([
    { field: 'name' },
  ]);
});
