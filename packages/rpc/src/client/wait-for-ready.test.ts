import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { describe, expect, test } from 'vitest';
import { Code } from '../errors/rpc-error.ts';
import {
  callsOfEachKind,
  type EchoImplementation,
  handlerOfEachKind,
} from '../testing/calls-of-each-kind.ts';
import { EchoService } from '../testing/gen/testing/v1/echo_service_pb.ts';
import { rejectionOf } from '../testing/rejection-of.ts';
import { startReplica } from '../testing/replicas/start-replica.ts';
import { createClient } from './create-client.ts';

/** Returns a port that nothing listens on. */
async function freePort(): Promise<number> {
  const server = createServer();
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

const answering: Partial<EchoImplementation> = handlerOfEachKind(() => []);

describe.each(callsOfEachKind)('a %s call', (_kind, call) => {
  test('that waits for a replica is served when there is one', async () => {
    const port = await freePort();
    using client = createClient(EchoService, { target: `127.0.0.1:${port}` });
    expect((await rejectionOf(call(client, { deadlineMs: 60_000 }))).code).toBe(Code.UNAVAILABLE);
    const answer = call(client, { deadlineMs: 60_000, waitForReady: true });
    await using _replica = await startReplica(answering, { port });
    await answer;
  });

  test('waits no longer than its deadline', async () => {
    using client = createClient(EchoService, { target: `127.0.0.1:${await freePort()}` });
    const options = { deadlineMs: 300, waitForReady: true };
    expect((await rejectionOf(call(client, options))).code).toBe(Code.DEADLINE_EXCEEDED);
  });

  test('that waits is UNAVAILABLE when its client is disposed', async () => {
    const client = createClient(EchoService, { target: `127.0.0.1:${await freePort()}` });
    await rejectionOf(call(client));
    const answer = rejectionOf(call(client, { deadlineMs: 60_000, waitForReady: true }));
    await new Promise((resolve) => setImmediate(resolve));
    client[Symbol.dispose]();
    expect((await answer).code).toBe(Code.UNAVAILABLE);
  });
});
