import { createClient } from '@acme/rpc/client';
import type { ServiceImplementation } from '@acme/rpc/server';
import { startTestServer } from '@acme/rpc/testing';
import { expect, test } from 'vitest';
import { Greeter } from '../gen/helloworld/helloworld_pb.ts';

/** The contract has no policies, so the code states them. Without scopes the methods are open to everyone. */
const policies = { 'helloworld.Greeter': { deadlineMs: 1000, scopes: [] } };

const greeter: ServiceImplementation<typeof Greeter> = {
  sayHello: async ({ name }) => ({ message: `Hello ${name}` }),
  async *sayHelloStreamReply({ name }) {
    yield { message: `Hello ${name}` };
    yield { message: `Goodbye ${name}` };
  },
};

test('a service of a contract without policies is served, and called without a token', async () => {
  await using server = await startTestServer(Greeter, greeter, { policies });
  using client = createClient(Greeter, { target: server.target, policies });
  expect(await client.sayHello({ name: 'Ada' })).toMatchObject({ message: 'Hello Ada' });
  const messages: string[] = [];
  for await (const { message } of client.sayHelloStreamReply({ name: 'Ada' })) messages.push(message);
  expect(messages).toEqual(['Hello Ada', 'Goodbye Ada']);
});

test('without a policy neither a server nor a client of the contract starts', async () => {
  await expect(startTestServer(Greeter, greeter)).rejects.toThrow('helloworld.Greeter/SayHello');
  expect(() => createClient(Greeter, { target: '127.0.0.1:1' })).toThrow('helloworld.Greeter/SayHello');
});
