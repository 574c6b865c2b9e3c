import { experimental } from '@grpc/grpc-js';
import { expect, test } from 'vitest';
import { Code, RpcError } from '../../errors/rpc-error.ts';
import type { EchoImplementation } from '../../testing/calls-of-each-kind.ts';
import { EchoService } from '../../testing/gen/testing/v1/echo_service_pb.ts';
import { startRawServer } from '../../testing/replicas/start-raw-server.ts';
import { answeringAs, startReplica } from '../../testing/replicas/start-replica.ts';
import { startReplicaProcess } from '../../testing/replicas/start-replica-process.ts';
import { type Client, createClient } from '../create-client.ts';
import { loadBalancingConfigOf } from './balancing.ts';

type EchoClient = Client<typeof EchoService>;

const failingWith = (code: Code): Partial<EchoImplementation> => ({
  getEcho: async () => {
    throw new RpcError(code, 'not by me');
  },
});

const targetOf = (...replicas: { port: number }[]) =>
  `ipv4:${replicas.map(({ port }) => `127.0.0.1:${port}`).join(',')}`;

/** Returns the outcomes of several calls in sequence: the name of the replica that answered, or a status code. */
async function answersTo(client: EchoClient, calls: number): Promise<(string | Code)[]> {
  const answers: (string | Code)[] = [];
  while (answers.length < calls)
    answers.push(
      await client.getEcho({ key: 'A' }, { deadlineMs: 5_000 }).then(
        ({ echo }) => echo?.text ?? '',
        (error: RpcError) => error.code,
      ),
    );
  return answers;
}

/** Calls until every replica has answered. round_robin omits a replica that is still connecting. */
async function untilAllAnswer(client: EchoClient, ...names: (string | Code)[]): Promise<void> {
  const seen = new Set<string | Code>();
  while (!names.every((name) => seen.has(name)))
    for (const name of await answersTo(client, 1)) seen.add(name);
}

test.each(['round_robin', 'peak_ewma'] as const)(
  '%s avoids a replica that fails several calls in a row',
  async (balancing) => {
    await using sound = await startReplica(answeringAs('sound'));
    await using broken = await startReplica(failingWith(Code.INTERNAL));
    using client = createClient(EchoService, { target: targetOf(sound, broken), balancing });
    await untilAllAnswer(client, 'sound');
    let faults = 0;
    // peak_ewma avoids it by itself, and calls it only now and then.
    const calls = balancing === 'round_robin' ? 40 : 10;
    for (const answer of await answersTo(client, calls)) if (answer === Code.INTERNAL) faults++;
    expect(faults).toBeLessThanOrEqual(5);
    expect(await answersTo(client, 20)).toEqual(Array(20).fill('sound'));
  },
);

test('a replica that answers NOT_FOUND several times in a row is sound', async () => {
  await using sound = await startReplica(answeringAs('sound'));
  await using empty = await startReplica(failingWith(Code.NOT_FOUND));
  using client = createClient(EchoService, { target: targetOf(sound, empty) });
  await untilAllAnswer(client, 'sound', Code.NOT_FOUND);
  const answers = await answersTo(client, 20);
  expect(answers.filter((answer) => answer === Code.NOT_FOUND)).toHaveLength(10);
});

test('a client on an existing connection counts its own calls', async () => {
  await using sound = await startReplica(answeringAs('sound'));
  await using broken = await startReplica(failingWith(Code.INTERNAL));
  const target = targetOf(sound, broken);
  using first = createClient(EchoService, { target });
  await untilAllAnswer(first, 'sound', Code.INTERNAL);
  using second = createClient(EchoService, { target });
  await untilAllAnswer(second, 'sound', Code.INTERNAL);
  await answersTo(second, 20);
  expect(await answersTo(second, 20)).toEqual(Array(20).fill('sound'));
});

test('an ejected replica is called if there is no other', async () => {
  const sound = await startReplica(answeringAs('sound'));
  await using _stopped = sound;
  await using broken = await startReplica(failingWith(Code.INTERNAL));
  using client = createClient(EchoService, { target: targetOf(sound, broken) });
  await untilAllAnswer(client, 'sound', Code.INTERNAL);
  await answersTo(client, 20);
  expect(await answersTo(client, 10)).toEqual(Array(10).fill('sound'));
  await sound[Symbol.asyncDispose]();
  // Within its five seconds. A call without a replica takes 300 ms, its retries included.
  expect(await answersTo(client, 8)).toContain(Code.INTERNAL);
  expect(await answersTo(client, 20)).toEqual(Array(20).fill(Code.INTERNAL));
});

test('an ejected replica that reconnects is treated as a new one', async () => {
  let code = Code.INTERNAL;
  await using sound = await startReplica(answeringAs('sound'));
  await using mended = await startRawServer(() => ({ 'grpc-status': code }));
  const port = Number(mended.target.split(':')[1]);
  using client = createClient(EchoService, { target: targetOf(sound, { port }) });
  await untilAllAnswer(client, 'sound', Code.INTERNAL);
  await answersTo(client, 20);
  expect(await answersTo(client, 10)).toEqual(Array(10).fill('sound'));
  code = Code.NOT_FOUND;
  mended.sessions[0]?.close();
  while (mended.sessions.length < 2) await answersTo(client, 1);
  // Its ejection would last five seconds.
  expect(await answersTo(client, 300)).toContain(Code.NOT_FOUND);
});

test('no call tries a replica that hangs, and it is called once it answers', async () => {
  await using sound = await startReplica(answeringAs('sound'));
  await using hanging = await startReplicaProcess('hanging');
  using client = createClient(EchoService, { target: targetOf(sound, hanging) });
  await untilAllAnswer(client, 'sound', 'hanging');
  hanging.pause();
  /** Returns the number of calls to the hanging replica. Others may fail on a busy machine. */
  const tries = async (durationMs: number) => {
    const endMs = performance.now() + durationMs;
    let count = 0;
    while (performance.now() < endMs)
      await client.getEcho({ key: 'A' }, { deadlineMs: 300 }).catch(({ message }: RpcError) => {
        if (message.includes(`:${hanging.port}`)) count++;
      });
    return count;
  };
  while ((await tries(500)) > 0);
  // Longer than a first ejection.
  expect(await tries(6000)).toBe(0);
  hanging.resume();
  await untilAllAnswer(client, 'hanging');
}, 30_000);

test('the only replica is never ejected', async () => {
  await using broken = await startReplica(failingWith(Code.INTERNAL));
  using client = createClient(EchoService, { target: targetOf(broken) });
  expect(await answersTo(client, 20)).toEqual(Array(20).fill(Code.INTERNAL));
});

test('the policy is rejected without a child policy', () => {
  loadBalancingConfigOf('round_robin');
  for (const childPolicy of [undefined, [], [{ round_robbin: {} }]])
    expect(() => experimental.parseLoadBalancingConfig({ outlier_ejection: { childPolicy } })).toThrow(
      'outlier_ejection: childPolicy names no known policy',
    );
});

test('the stream marker does not leave the process', async () => {
  const headers: (string | undefined)[] = [];
  await using replica = await startReplica({
    async *watchEchoes(_request, { metadata }) {
      headers.push(metadata('x-balancing-stream'), metadata('user-agent'));
      yield {};
    },
  });
  for (const balancing of ['round_robin', 'peak_ewma'] as const) {
    using client = createClient(EchoService, { target: targetOf(replica), balancing });
    await Array.fromAsync(client.watchEchoes({}));
  }
  expect(headers).toEqual([undefined, expect.any(String), undefined, expect.any(String)]);
});
