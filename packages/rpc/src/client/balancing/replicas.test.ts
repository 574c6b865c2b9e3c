import { expect, test } from 'vitest';
import type { RpcError } from '../../errors/rpc-error.ts';
import { EchoService } from '../../testing/gen/testing/v1/echo_service_pb.ts';
import { changingAddresses } from '../../testing/replicas/changing-addresses.ts';
import { answeringAs, startReplica } from '../../testing/replicas/start-replica.ts';
import { startReplicaProcess } from '../../testing/replicas/start-replica-process.ts';
import { type Client, createClient } from '../create-client.ts';

type EchoClient = Client<typeof EchoService>;

const targetOf = (...replicas: { port: number }[]) =>
  `ipv4:${replicas.map(({ port }) => `127.0.0.1:${port}`).join(',')}`;

/** Makes one call with the contract's deadline of a second, retries included. */
async function ask(client: EchoClient): Promise<string> {
  const { echo } = await client.getEcho({ key: 'A' });
  return echo?.text ?? '';
}

/** Calls until all of them have answered. */
async function untilAllAnswer(client: EchoClient, ...names: string[]): Promise<void> {
  const seen = new Set<string>();
  while (!names.every((name) => seen.has(name))) seen.add(await ask(client));
}

/** Returns the number of calls that each replica answers, with several calls in flight. */
async function shares(client: EchoClient, calls: number, atATime: number): Promise<Record<string, number>> {
  const count: Record<string, number> = {};
  let left = calls;
  const askAll = async () => {
    while (left-- > 0) {
      const name = await ask(client);
      count[name] = (count[name] ?? 0) + 1;
    }
  };
  await Promise.all(Array.from({ length: atATime }, askAll));
  return count;
}

/** Three replicas in their own processes. The test sets the latency of the third one. */
async function startThree(slowMs = 0) {
  const stack = new AsyncDisposableStack();
  const [a, b, c] = await Promise.all([
    startReplicaProcess('a'),
    startReplicaProcess('b'),
    startReplicaProcess('c', { delayMs: slowMs }),
  ]);
  for (const each of [a, b, c]) stack.use(each);
  return { a, b, c, target: targetOf(a, b, c), [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

test('round_robin calls three replicas in turn, and peak_ewma avoids the slow one', async () => {
  await using replicas = await startThree(60);
  using client = createClient(EchoService, { target: replicas.target });
  await untilAllAnswer(client, 'a', 'b', 'c');
  expect(await shares(client, 60, 6)).toEqual({ a: 20, b: 20, c: 20 });
  using quick = createClient(EchoService, { target: replicas.target, balancing: 'peak_ewma' });
  await untilAllAnswer(quick, 'a', 'b', 'c');
  // A third is 40. A busy machine may also stop a quick replica for a while.
  const { c = 0 } = await shares(quick, 120, 6);
  expect(c).toBeLessThan(40);
});

test.each(['round_robin', 'peak_ewma'] as const)(
  'no call with a deadline of a second fails when %s loses a replica, and the others get all later calls',
  async (balancing) => {
    await using a = await startReplicaProcess('a');
    await using b = await startReplicaProcess('b');
    // It is killed before it starts to answer. A call whose response has started cannot be retried (gRFC A6).
    await using lost = await startReplicaProcess('lost', { delayMs: 60_000 });
    using client = createClient(EchoService, { target: targetOf(a, b, lost), balancing });
    let answeredAfter = 0;
    let isKilled = false;
    const askOn = async () => {
      while (answeredAfter < 60) {
        await ask(client);
        if (isKilled) answeredAfter++;
      }
    };
    const asking = Promise.all([askOn(), askOn(), askOn()]);
    await lost.called;
    await lost.kill();
    isKilled = true;
    await asking;
    expect(answeredAfter).toBeGreaterThanOrEqual(60);
    // A replica that starts in its place gets calls.
    await using _restarted = await startReplicaProcess('back', { port: lost.port });
    await untilAllAnswer(client, 'back');
  },
);

test.each(['round_robin', 'peak_ewma'] as const)(
  '%s avoids a replica that hangs with its connections open',
  async (balancing) => {
    await using replicas = await startThree();
    using client = createClient(EchoService, { target: replicas.target, balancing });
    await untilAllAnswer(client, 'a', 'b', 'c');
    replicas.c.pause();
    let answeredInARow = 0;
    let late = 0;
    // peak_ewma may not have called it before.
    while (late === 0 || answeredInARow < 60) {
      const answer = await client
        .getEcho({ key: 'A' }, { deadlineMs: 500 })
        .catch((error: RpcError) => error);
      answeredInARow = 'code' in answer ? 0 : answeredInARow + 1;
      if ('code' in answer) late++;
    }
    expect(answeredInARow).toBe(60);
  },
);

test.each(['round_robin', 'peak_ewma'] as const)(
  '%s calls a new replica once a connection has reached its maximum age, and drops one that has stopped',
  async (balancing) => {
    const limits = { 'grpc.max_connection_age_ms': 200, 'grpc.max_connection_age_grace_ms': 10_000 };
    await using a = await startReplica(answeringAs('a'), { limits });
    await using b = await startReplica(answeringAs('b'), { limits });
    const name = changingAddresses([a.port]);
    using client = createClient(EchoService, { target: name.target, balancing });
    expect(await shares(client, 5, 1)).toEqual({ a: 5 });
    name.ports = [a.port, b.port];
    await untilAllAnswer(client, 'b');
    name.ports = [b.port];
    const { lookUps } = name;
    while (name.lookUps === lookUps) await ask(client);
    await untilAllAnswer(client, 'b');
    expect(await shares(client, 20, 1)).toEqual({ b: 20 });
  },
);
