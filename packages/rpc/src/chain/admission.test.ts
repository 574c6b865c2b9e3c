import { durationMs } from '@bufbuild/protobuf/wkt';
import { expect, test, vi } from 'vitest';
import type { TokenVerifier } from '../auth/token-verifier.ts';
import { methodPath } from '../call/method-name.ts';
import { createClient } from '../client/create-client.ts';
import { checkHealth } from '../client/health/check-health.ts';
import { Code } from '../errors/rpc-error.ts';
import { RetryInfoSchema } from '../gen/google/rpc/error_details_pb.ts';
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

/** Starts a server behind the production chain with an admission of these options. */
async function startAdmitting(
  options: AdmissionOptions,
  implementation: Partial<EchoImplementation>,
  verify: TokenVerifier['verify'] = async () => principal,
) {
  const admission = createAdmission(options);
  const tokens = { cached: () => undefined, verify };
  const openStreams = createOpenStreams();
  const chain = {
    errorMap: () => undefined,
    deadlineMode: 'default',
    openStreams,
    tokens,
    admission,
  } as const;
  const server = await startTestServer(EchoService, implementation, {
    modifyChain: () => serverChain(chain),
  });
  return { ...server, admission, open: () => openIn(admission) };
}

/** A server whose calls of all four kinds wait for their release. */
async function startHolding(options: AdmissionOptions, verify?: TokenVerifier['verify']) {
  const released = Promise.withResolvers<void>();
  const holding = handlerOfEachKind(async () => {
    await released.promise;
    return [];
  });
  const server = await startAdmitting(options, holding, verify);
  /** Makes `count` calls of a kind and waits until they have arrived. */
  const hold = async (count: number, call: EchoCall = getEcho) => {
    const before = server.open();
    const calls = Array.from({ length: count }, () => call(server.client, far));
    // Some tests end while calls wait. They are cut off then.
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

test('calls over the limit are rejected at once, and those within it are served', async () => {
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
  ['at most', 1, 300],
])('a rejection has a retry delay, %s with a jitter of %i', async (_name, random, delayMs) => {
  await using server = await startHolding({ ...fixed(0), random: () => random });
  const error = await rejectionOf(server.client.getEcho({ key: 'A' }));
  const retryDelay = error.findDetail(RetryInfoSchema)?.retryDelay;
  expect(retryDelay && durationMs(retryDelay)).toBe(delayMs);
});

test.each(callsOfEachKind)('a %s call is rejected while the limit is reached', async (_kind, call) => {
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
  // The caller now has as many calls as a small limit permits.
  expect(await rejectionOf(modest.getEcho({ key: 'A' }, far))).toMatchObject({
    code: Code.RESOURCE_EXHAUSTED,
  });
  server.release();
  await Promise.all([...held, ...admitted]);
});

test.each(streaming)(
  '%s calls are not counted in the adaptive limit, but have a fixed one',
  async (_kind, call) => {
    await using server = await startHolding({ ...fixed(1), maxStreams: 3 });
    const held = await server.hold(3, call);
    expect(server.admission.snapshot()).toEqual({ limit: 1, inFlight: 0, streams: 3, rejected: 0 });
    const error = await rejectionOf(Array.fromAsync(server.client.watchEchoes({}, far)));
    expect(error).toMatchObject({
      code: Code.RESOURCE_EXHAUSTED,
      message: 'the server has too many open streams',
    });
    expect(error.findDetail(RetryInfoSchema)).toBeDefined();
    const [unary] = await server.hold(1);
    server.release();
    await Promise.all([...held, unary]);
    expect(server.open()).toBe(0);
  },
);

test.each(callsOfEachKind)(
  'a %s handler that ignores its signal releases its place when its caller cancels',
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

test('the end of an abandoned handler does not release its place again', async () => {
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

test('a full server still answers health checks', async () => {
  await using server = await startHolding(fixed(0));
  server.running.setReady(true);
  expect(await checkHealth(server.target)).toBe(true);
});

test('a blocked event loop lowers the limit, and a free one raises it again', async () => {
  let workMs = 5;
  const limits = { minLimit: 2, initialLimit: 32, maxLimit: 64 };
  await using server = await startAdmitting(limits, {
    getEcho: async () => {
      await new Promise((resolve) => setImmediate(resolve));
      // CPU time, because waiting for the CPU is not work.
      const start = process.threadCpuUsage();
      while (process.threadCpuUsage(start).user < workMs * 1000);
      return {};
    },
  });
  const crowd = (length: number) =>
    Promise.allSettled(Array.from({ length }, () => getEcho(server.client, far)));
  while (server.admission.snapshot().limit > 8) await crowd(40);
  workMs = 0;
  // Few calls, because their client runs in the same event loop.
  while (server.admission.snapshot().limit <= 8) await crowd(12);
}, 60_000);

test('the chain creates an admission if it gets none', async () => {
  const held = Promise.withResolvers<object>();
  await using server = await startTestServer(EchoService, { getEcho: () => held.promise });
  const calls = Array.from({ length: 201 }, () => getEcho(server.client, far));
  // The other calls wait, so the first call to end is the one over the limit.
  expect(await Promise.race(calls.map(rejectionOf))).toMatchObject({ code: Code.RESOURCE_EXHAUSTED });
  held.resolve({});
  await Promise.allSettled(calls);
});
