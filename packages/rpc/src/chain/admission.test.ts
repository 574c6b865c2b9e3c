import { RetryInfoSchema } from '@acme/gen/google/rpc/error_details_pb';
import { durationMs } from '@bufbuild/protobuf/wkt';
import { expect, test, vi } from 'vitest';
import type { TokenVerifier } from '../auth/token-verifier.ts';
import { checkHealth } from '../client/check-health.ts';
import { createClient } from '../client/create-client.ts';
import { Code } from '../errors/rpc-error.ts';
import { methodPath } from '../grpc-js/add-service.ts';
import {
  callsOfEachKind,
  type EchoImplementation,
  handlerOfEachKind,
} from '../testing/calls-of-each-kind.ts';
import { EchoService } from '../testing/gen/testing/v1/echo_service_pb.ts';
import { connectRaw, grpcFrame } from '../testing/network/raw-http2.ts';
import { rejectionOf } from '../testing/rejection-of.ts';
import { startTestServer } from '../testing/start-test-server.ts';
import { type Admission, type AdmissionOptions, createAdmission } from './admission.ts';
import { serverChain } from './chain.ts';
import { createOpenStreams } from './open-streams.ts';

type KindOfCall = (typeof callsOfEachKind)[number];
type EchoCall = KindOfCall[1];

const far = { deadlineMs: 60_000 };

/** A server of `implementation`, behind the chain that every service has, with this admission in it. */
async function startAdmitting(
  options: AdmissionOptions,
  implementation: Partial<EchoImplementation>,
  verify: TokenVerifier['verify'] = async () => principal,
) {
  const admission = createAdmission(options);
  const tokens = { known: () => undefined, verify };
  const openStreams = createOpenStreams();
  const chain = { errors: () => undefined, deadlineMode: 'default', openStreams, tokens, admission } as const;
  const server = await startTestServer(EchoService, implementation, {
    interceptors: () => serverChain(chain),
  });
  return { ...server, admission, open: () => openIn(admission) };
}

/** A server whose calls, of all four kinds, are held until they are released. */
async function startHolding(options: AdmissionOptions, verify?: TokenVerifier['verify']) {
  const released = Promise.withResolvers<void>();
  const holding = handlerOfEachKind(async () => {
    await released.promise;
    return [];
  });
  const server = await startAdmitting(options, holding, verify);
  /** Makes so many calls of a kind, and waits until they are in. */
  const hold = async (count: number, call: EchoCall = getEcho) => {
    const before = server.open();
    const calls = Array.from({ length: count }, () => call(server.client, far));
    // Some tests end while they are held; then they are cut off.
    for (const held of calls) held.catch(() => {});
    await until(() => server.open() === before + count);
    return calls;
  };
  return { ...server, hold, release: released.resolve };
}

function openIn(admission: Admission): number {
  const { inFlight, streams } = admission.snapshot();
  return inFlight + streams;
}

const until = (check: () => unknown) => vi.waitUntil(check, { timeout: 15_000, interval: 5 });
const principal = { subject: 'anna', scopes: new Set(['echo:read', 'echo:write']) };
const [[, getEcho], ...streaming] = callsOfEachKind as [KindOfCall, ...KindOfCall[]];
const fixed = (limit: number) => ({ minLimit: limit, initialLimit: limit, maxLimit: limit });

test('ensure calls over the limit are refused at once, and those within it are served', async () => {
  await using server = await startHolding({ ...fixed(3), random: () => 0.5 });
  const held = await server.hold(3);
  const error = await rejectionOf(server.client.getEcho({ key: 'A' }, far));
  expect(error).toMatchObject({ code: Code.RESOURCE_EXHAUSTED, message: 'the server is busy' });
  expect(server.admission.snapshot()).toEqual({ limit: 3, inFlight: 3, streams: 0, rejected: 1 });
  server.release();
  await Promise.all(held);
  await server.client.getEcho({ key: 'A' });
  expect(server.admission.snapshot()).toEqual({ limit: 3, inFlight: 0, streams: 0, rejected: 1 });
});

test.each([
  ['at the least', 0, 100],
  ['at the most', 1, 300],
])('ensure a refusal says when to come back, %s in %i of its jitter', async (_name, random, delayMs) => {
  await using server = await startHolding({ ...fixed(0), random: () => random });
  const error = await rejectionOf(server.client.getEcho({ key: 'A' }));
  const retryDelay = error.detail(RetryInfoSchema)?.retryDelay;
  expect(retryDelay && durationMs(retryDelay)).toBe(delayMs);
});

test.each(callsOfEachKind)('ensure a %s call is refused while the limit is reached', async (_kind, call) => {
  await using server = await startHolding(fixed(1));
  await server.hold(1);
  expect(await rejectionOf(call(server.client, far))).toMatchObject({ code: Code.RESOURCE_EXHAUSTED });
});

test('a rejected call is not decoded', async () => {
  await using server = await startHolding(fixed(0));
  await using connection = await connectRaw(server.target);
  const garbage = grpcFrame(Buffer.from('ffff', 'hex'));
  for (const method of EchoService.methods)
    expect(await connection.post(methodPath(method), garbage)).toMatchObject({
      code: Code.RESOURCE_EXHAUSTED,
    });
});

test('a full server admits a caller with less than its share, and rejects the one that fills it', async () => {
  const verify = async (token: string) => ({ ...principal, subject: token });
  await using server = await startHolding(fixed(4), verify);
  using greedy = createClient(EchoService, { target: server.target, token: () => 'greedy' });
  using modest = createClient(EchoService, { target: server.target, token: () => 'modest' });
  const held = Array.from({ length: 4 }, () => greedy.getEcho({ key: 'A' }, far));
  for (const each of held) each.catch(() => {});
  await until(() => server.open() === 4);
  expect(await rejectionOf(greedy.getEcho({ key: 'A' }, far))).toMatchObject({
    code: Code.RESOURCE_EXHAUSTED,
  });
  const admitted = Array.from({ length: 4 }, () => modest.getEcho({ key: 'A' }, far));
  for (const each of admitted) each.catch(() => {});
  await until(() => server.open() === 8);
  // It has as many as a small limit, now.
  expect(await rejectionOf(modest.getEcho({ key: 'A' }, far))).toMatchObject({
    code: Code.RESOURCE_EXHAUSTED,
  });
  server.release();
  await Promise.all([...held, ...admitted]);
});

test.each(streaming)('ensure %s calls take none of the limit, but have a bound', async (_kind, call) => {
  await using server = await startHolding({ ...fixed(1), maxStreams: 3 });
  const held = await server.hold(3, call);
  expect(server.admission.snapshot()).toEqual({ limit: 1, inFlight: 0, streams: 3, rejected: 0 });
  const error = await rejectionOf(Array.fromAsync(server.client.watchEchoes({}, far)));
  expect(error).toMatchObject({
    code: Code.RESOURCE_EXHAUSTED,
    message: 'the server has too many open streams',
  });
  expect(error.detail(RetryInfoSchema)).toBeDefined();
  const [unary] = await server.hold(1);
  server.release();
  await Promise.all([...held, unary]);
  expect(server.open()).toBe(0);
});

test.each(callsOfEachKind)(
  'ensure a %s handler that ignores its signal gives its place back when its caller has gone',
  async (_kind, call) => {
    await using server = await startHolding({ ...fixed(1), maxStreams: 1 });
    const abort = new AbortController();
    const abandoned = rejectionOf(call(server.client, { ...far, signal: abort.signal }));
    await until(() => server.open() === 1);
    abort.abort();
    expect((await abandoned).code).toBe(Code.CANCELLED);
    await until(() => server.open() === 0);
    await server.hold(1);
    server.release();
  },
);

test('ensure the end of a handler that was abandoned does not give its place back again', async () => {
  const handlers: PromiseWithResolvers<object>[] = [];
  await using server = await startAdmitting(fixed(2), {
    getEcho: () => {
      const handler = Promise.withResolvers<object>();
      handlers.push(handler);
      return handler.promise;
    },
  });
  const abort = new AbortController();
  const abandoned = rejectionOf(getEcho(server.client, { ...far, signal: abort.signal }));
  const other = getEcho(server.client, far);
  await until(() => handlers.length === 2);
  abort.abort();
  await abandoned;
  await until(() => server.open() === 1);
  for (const handler of handlers) handler.resolve({});
  await other;
  expect(server.open()).toBe(0);
});

test('ensure a server that is full still tells its health', async () => {
  await using server = await startHolding(fixed(0));
  server.running.setReady(true);
  expect(await checkHealth(server.target)).toBe(true);
});

test('ensure an event loop that is held up lowers the limit, and one that is not raises it again', async () => {
  let workMs = 5;
  const limits = { minLimit: 2, initialLimit: 32, maxLimit: 64 };
  await using server = await startAdmitting(limits, {
    getEcho: async () => {
      await new Promise((resolve) => setImmediate(resolve));
      // Of the processor: time in which others have it is not work.
      const start = process.threadCpuUsage();
      while (process.threadCpuUsage(start).user < workMs * 1000);
      return {};
    },
  });
  const crowd = (length: number) =>
    Promise.allSettled(Array.from({ length }, () => getEcho(server.client, far)));
  while (server.admission.snapshot().limit > 8) await crowd(40);
  workMs = 0;
  // Few, because what they cost their client is a part of the turn.
  while (server.admission.snapshot().limit <= 8) await crowd(12);
}, 60_000);

test('ensure the chain makes an admission of its own when it is given none', async () => {
  const held = Promise.withResolvers<object>();
  await using server = await startTestServer(EchoService, { getEcho: () => held.promise });
  const calls = Array.from({ length: 201 }, () => getEcho(server.client, far));
  // The others are held: the first that is over is the one too many.
  expect(await Promise.race(calls.map(rejectionOf))).toMatchObject({ code: Code.RESOURCE_EXHAUSTED });
  held.resolve({});
  await Promise.allSettled(calls);
});
