import {
  type ClientHttp2Session,
  connect,
  type IncomingHttpHeaders,
  type ServerHttp2Stream,
} from 'node:http2';
import { experimental } from '@grpc/grpc-js';
import { expect, onTestFinished, test, vi } from 'vitest';
import { Code, RpcError } from '../../errors/rpc-error.ts';
import type { EchoImplementation } from '../../testing/calls-of-each-kind.ts';
import { recordCrashes } from '../../testing/crashes.ts';
import { EchoService } from '../../testing/gen/testing/v1/echo_service_pb.ts';
import { type RawServer, startRawServer } from '../../testing/replicas/start-raw-server.ts';
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

const isCheck = (headers: IncomingHttpHeaders) => headers[':path'] === '/grpc.health.v1.Health/Check';

/** Returns the number of calls that a server has received, without health checks. */
const callsOf = ({ attempts }: RawServer) => attempts.filter((each) => !isCheck(each)).length;

const portOf = ({ target }: RawServer) => ({ port: Number(target.split(':')[1]) });

/** Makes a request on a destroyed connection throw, as it did in earlier versions of Node. */
function makeLateRequestsThrow(): void {
  const session = connect('http://127.0.0.1:1').on('error', () => {});
  const prototype = Object.getPrototypeOf(session) as ClientHttp2Session;
  session.destroy();
  const { request } = prototype;
  const spy = vi.spyOn(prototype, 'request').mockImplementation(function (
    this: ClientHttp2Session,
    ...args: Parameters<ClientHttp2Session['request']>
  ) {
    if (this.destroyed) throw new Error('The session has been destroyed');
    return request.apply(this, args);
  });
  onTestFinished(() => spy.mockRestore());
}

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

test('an ejected replica that reconnects and answers a health check is called before its ejection has ended', async () => {
  let code = Code.INTERNAL;
  await using sound = await startReplica(answeringAs('sound'));
  await using mended = await startRawServer(() => ({ 'grpc-status': code }));
  using client = createClient(EchoService, { target: targetOf(sound, portOf(mended)) });
  await untilAllAnswer(client, 'sound', Code.INTERNAL);
  await answersTo(client, 20);
  expect(await answersTo(client, 10)).toEqual(Array(10).fill('sound'));
  code = Code.NOT_FOUND;
  mended.sessions[0]?.close();
  while (mended.sessions.length < 2) await answersTo(client, 1);
  // Its ejection would last five seconds.
  expect(await answersTo(client, 300)).toContain(Code.NOT_FOUND);
});

test('a proxy that answers UNAVAILABLE for its server stays ejected, also on a new connection', async () => {
  await using sound = await startReplica(answeringAs('sound'));
  await using proxy = await startRawServer(() => ({ 'grpc-status': Code.UNAVAILABLE }));
  using client = createClient(EchoService, { target: targetOf(sound, portOf(proxy)) });
  while (callsOf(proxy) < 5) await answersTo(client, 1);
  const ejectedMs = performance.now();
  /** On a busy machine the ejection may have ended, after which the replica gets one call. */
  const permitted = () => (performance.now() - ejectedMs > 4000 ? 6 : 5);
  while (!proxy.attempts.some(isCheck)) await answersTo(client, 1);
  await answersTo(client, 50);
  expect(proxy.sessions).toHaveLength(1);
  expect(callsOf(proxy)).toBeLessThanOrEqual(permitted());
  proxy.sessions[0]?.close();
  while (proxy.attempts.filter(isCheck).length < 2) await answersTo(client, 1);
  await answersTo(client, 50);
  expect(callsOf(proxy)).toBeLessThanOrEqual(permitted());
});

test('an ejected replica that fails after it has reconnected is ejected at once, and not for its next connection', async () => {
  await using sound = await startReplica(answeringAs('sound'));
  await using broken = await startRawServer(() => ({ 'grpc-status': Code.INTERNAL }));
  using client = createClient(EchoService, { target: targetOf(sound, portOf(broken)) });
  while (callsOf(broken) < 5) await answersTo(client, 1);
  broken.sessions[0]?.close();
  while (callsOf(broken) < 6) await answersTo(client, 1);
  broken.sessions[1]?.close();
  while (broken.sessions.length < 3) await answersTo(client, 1);
  // Its second ejection lasts ten seconds.
  await answersTo(client, 50);
  expect(callsOf(broken)).toBe(6);
});

test('a replica that leaves a health check without an answer, and fails on its new connection, is ejected at once', async () => {
  await using sound = await startReplica(answeringAs('sound'));
  await using stalling = await startRawServer((headers, { session }) =>
    isCheck(headers) && session === stalling.sessions[0] ? undefined : { 'grpc-status': Code.INTERNAL },
  );
  using client = createClient(EchoService, { target: targetOf(sound, portOf(stalling)) });
  while (callsOf(stalling) < 6) await answersTo(client, 1);
  expect(stalling.sessions).toHaveLength(2);
  await answersTo(client, 50);
  expect(callsOf(stalling)).toBe(6);
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

test.each([
  ['ends', false],
  // Node 24.14 (https://github.com/nodejs/node/issues/63412).
  ['throws', true],
])(
  'no error is unhandled when a connection is destroyed with several calls on it, and a request on it %s',
  async (_name, throws) => {
    if (throws) makeLateRequestsThrow();
    using crashes = recordCrashes();
    const held: ServerHttp2Stream[] = [];
    let isHolding = false;
    await using sound = await startReplica(answeringAs('sound'));
    await using flooding = await startRawServer((_headers, stream) => {
      if (!isHolding || held.length === 6) return { 'grpc-status': Code.NOT_FOUND };
      held.push(stream);
      if (held.length < 6) return undefined;
      // Too many of them end the connection.
      for (let count = 0; count < 200; count++) stream.additionalHeaders({ ':status': 103 });
      return undefined;
    });
    using client = createClient(EchoService, { target: targetOf(sound, portOf(flooding)) });
    await untilAllAnswer(client, 'sound', Code.NOT_FOUND);
    isHolding = true;
    await Promise.all(Array.from({ length: 12 }, () => answersTo(client, 1)));
    expect(held).toHaveLength(6);
    while (flooding.sessions.length < 2) await answersTo(client, 1);
    expect(crashes.reasons).toEqual([]);
  },
);

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
