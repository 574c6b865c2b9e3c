import { expect, test } from 'vitest';
import { type CallContext, runDetached } from '../../call/call-context.ts';
import { Code } from '../../errors/rpc-error.ts';
import { EchoService } from '../../testing/gen/testing/v1/echo_service_pb.ts';
import { pastDeadline } from '../../testing/past-deadline.ts';
import { rejectionOf } from '../../testing/rejection-of.ts';
import { startTestServer } from '../../testing/start-test-server.ts';
import { type CallOptions, outgoingDeadlineAtMs } from './call-options.ts';

interface Seen {
  readonly requestId: string;
  readonly leftMs: number;
  readonly signal: AbortSignal;
}

const seenBy = ({ requestId, deadlineAtMs, signal }: CallContext): Seen => ({
  requestId,
  leftMs: deadlineAtMs - Date.now(),
  signal,
});

/** Two servers: GetEcho of the upper one returns the response of ListEchoes of the lower one. */
async function startTwo(
  lower: (context: CallContext) => Promise<object> = async () => ({}),
  optionsBelow: CallOptions = {},
  run: <T>(body: () => T) => T = (body) => body(),
) {
  const above = Promise.withResolvers<Seen>();
  const below = Promise.withResolvers<Seen>();
  const stack = new AsyncDisposableStack();
  const bottom = stack.use(
    await startTestServer(EchoService, {
      listEchoes: async (_request, context) => {
        below.resolve(seenBy(context));
        return lower(context);
      },
    }),
  );
  const top = stack.use(
    await startTestServer(EchoService, {
      getEcho: async (_request, context) => {
        above.resolve(seenBy(context));
        await run(() => bottom.client.listEchoes({}, optionsBelow));
        return {};
      },
    }),
  );
  return {
    client: top.client,
    above: above.promise,
    below: below.promise,
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

/** grpc-timeout is in whole milliseconds, rounded up. */
const roundingMs = 1;

test.each([
  ["the contract's own", {}],
  ['a longer one of its own', { deadlineMs: 60_000 }],
])('an outgoing call inherits the deadline of the served call instead of %s', async (_name, optionsBelow) => {
  await using services = await startTwo(undefined, optionsBelow);
  await services.client.getEcho({ key: 'A' }, { deadlineMs: 900 });
  const { leftMs } = await services.above;
  expect(leftMs).toBeLessThanOrEqual(900 + roundingMs);
  expect((await services.below).leftMs).toBeLessThanOrEqual(leftMs + roundingMs);
});

test('an outgoing call may have a shorter deadline than the served call', async () => {
  await using services = await startTwo(() => new Promise(() => {}), { deadlineMs: 50 });
  const error = await rejectionOf(services.client.getEcho({ key: 'A' }, { deadlineMs: 60_000 }));
  expect(error).toMatchObject({ code: Code.DEADLINE_EXCEEDED });
  expect(error.message).toContain('testing.v1.EchoService/ListEchoes');
});

test('outgoing calls carry the request id of the served call', async () => {
  await using services = await startTwo();
  await services.client.getEcho({ key: 'A' }, { metadata: { 'x-request-id': 'order-17' } });
  expect((await services.above).requestId).toBe('order-17');
  expect((await services.below).requestId).toBe('order-17');
});

test('cancelling the served call cancels its outgoing call', async () => {
  await using services = await startTwo(() => new Promise(() => {}));
  const abort = new AbortController();
  const answer = rejectionOf(services.client.getEcho({ key: 'A' }, { signal: abort.signal }));
  const { signal } = await services.below;
  const aborted = new Promise((resolve) => signal.addEventListener('abort', resolve));
  abort.abort();
  expect((await answer).code).toBe(Code.CANCELLED);
  await aborted;
  expect(signal.reason).toMatchObject({ code: Code.CANCELLED });
});

test('detached work inherits neither deadline nor cancellation nor request id', async () => {
  const release = Promise.withResolvers<object>();
  await using services = await startTwo(() => release.promise, {}, runDetached);
  const abort = new AbortController();
  const metadata = { 'x-request-id': 'order-17' };
  const answer = rejectionOf(services.client.getEcho({ key: 'A' }, { signal: abort.signal, metadata }));
  const { signal, requestId, leftMs } = await services.below;
  abort.abort();
  await answer;
  release.resolve({});
  expect(signal.aborted).toBe(false);
  expect(requestId).not.toBe('order-17');
  expect(leftMs).toBeGreaterThan(1000); // GetEcho's deadline is 1 s, ListEchoes's 2 s
});

test('no call is made if no time is left', async () => {
  let calls = 0;
  await using bottom = await startTestServer(EchoService, {
    listEchoes: async () => {
      calls++;
      return {};
    },
  });
  let served = false;
  const late = Promise.withResolvers<unknown>();
  await using top = await startTestServer(EchoService, {
    getEcho: async (_request, { signal, deadlineAtMs }) => {
      served = true;
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
      while (Date.now() < deadlineAtMs) await new Promise((resolve) => setImmediate(resolve));
      late.resolve(bottom.client.listEchoes({}).catch((error: unknown) => error));
      return {};
    },
  });
  await pastDeadline(
    (options) => top.client.getEcho({ key: 'A' }, options),
    () => served,
  );
  const message = 'no time is left to call testing.v1.EchoService/ListEchoes';
  expect(await late.promise).toMatchObject({ code: Code.DEADLINE_EXCEEDED, message });
  expect(calls).toBe(0);
});

test.each([Number.NaN, -1, 0])(
  'a deadline of %d ms fails the call as DEADLINE_EXCEEDED',
  async (deadlineMs) => {
    await using server = await startTestServer(EchoService, {});
    expect(await rejectionOf(server.client.listEchoes({}, { deadlineMs }))).toMatchObject({
      code: Code.DEADLINE_EXCEEDED,
      message: 'no time is left to call testing.v1.EchoService/ListEchoes',
    });
  },
);

test('a deadline of 30 days, too long for grpc-js, is cut to max_deadline before it is sent', async () => {
  const seen = Promise.withResolvers<Seen>();
  await using server = await startTestServer(EchoService, {
    listEchoes: async (_request, context) => {
      seen.resolve(seenBy(context));
      return {};
    },
  });
  await server.client.listEchoes({}, { deadlineMs: 30 * 24 * 60 * 60 * 1000 });
  const { leftMs } = await seen.promise;
  expect(leftMs).toBeGreaterThan(2000); // ListEchoes's own deadline; its maximum is 10 s
  expect(leftMs).toBeLessThanOrEqual(10_000 + roundingMs);
});

test.each([
  ['neither the policy nor the call', Infinity, undefined, Infinity],
  ['only the call', Infinity, 1000, 1000],
  ['only the policy, whose maximum the call would exceed', 1000, Infinity, 5000],
])('the deadline is as expected when %s sets one', (_name, policyMs, callMs, expectedMs) => {
  const desc = EchoService.method.listEchoes;
  const policy = { deadlineMs: policyMs, maxDeadlineMs: policyMs * 5, scopes: [] };
  const options = callMs === undefined ? {} : { deadlineMs: callMs };
  const startMs = Date.now();
  const deadlineAtMs = outgoingDeadlineAtMs({ desc, name: 'ListEchoes', policy }, options);
  expect(deadlineAtMs).toBeGreaterThanOrEqual(startMs + expectedMs);
  expect(deadlineAtMs).toBeLessThanOrEqual(Date.now() + expectedMs);
});
