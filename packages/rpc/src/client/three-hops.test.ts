import { credentials, Client as GrpcClient } from '@grpc/grpc-js';
import { expect, onTestFinished, test } from 'vitest';
import type { CallContext } from '../call/call-context.ts';
import { Code } from '../errors/rpc-error.ts';
import { callsOfEachKind, handlerOfEachKind } from '../testing/calls-of-each-kind.ts';
import { EchoService } from '../testing/gen/testing/v1/echo_service_pb.ts';
import { rejectionOf } from '../testing/rejection-of.ts';
import { startTestServer } from '../testing/start-test-server.ts';
import type { CallOptions } from './outgoing-call/call-options.ts';
import { unaryMethod } from './outgoing-call/methods.ts';

/** Observations of one server: the time left until the deadline when its call arrived, and when it called the next one. */
interface Hop {
  /** In ms since the epoch. */
  readonly deadlineAtMs: number;
  readonly leftMs: number;
  leftBelowMs: number;
  readonly signal: AbortSignal;
}

const workMs = 20;

/** Takes some time of the call, as work does. */
function work() {
  const endMs = performance.now() + workMs;
  while (performance.now() < endMs);
}

/** Three servers: A calls B, and B calls C. A and B work before they call the next, and the test decides C's answer. */
async function startChain(answer: () => Promise<object>, optionsBelow: CallOptions = {}) {
  const hops: Hop[] = [];
  const reached = Promise.withResolvers<void>();
  const hopOf = ({ deadlineAtMs, signal }: CallContext): Hop => {
    const hop = { deadlineAtMs, leftMs: deadlineAtMs - Date.now(), leftBelowMs: Number.NaN, signal };
    hops.push(hop);
    work();
    hop.leftBelowMs = deadlineAtMs - Date.now();
    return hop;
  };
  const stack = new AsyncDisposableStack();
  const start = async (next: (() => Promise<unknown>) | undefined) =>
    stack.use(
      await startTestServer(EchoService, {
        listEchoes: async (_request, context) => {
          hopOf(context);
          if (next) await next();
          else {
            reached.resolve();
            return answer();
          }
          return {};
        },
      }),
    );
  const c = await start(undefined);
  const b = await start(() => c.client.listEchoes({}, optionsBelow));
  const a = await start(() => b.client.listEchoes({}, optionsBelow));
  return {
    client: a.client,
    hops,
    reached: reached.promise,
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

/** grpc-timeout is in whole milliseconds, rounded up. */
const roundingMs = 1;

test.each([
  ["the contract's own", {}],
  ['a longer one of their own', { deadlineMs: 60_000 }],
])('three hops share the deadline of the first, not %s', async (_name, options) => {
  await using chain = await startChain(async () => ({}), options);
  await chain.client.listEchoes({}, { deadlineMs: 1500 });
  const [a, b, c] = chain.hops;
  if (!a || !b || !c) throw new Error('a server was not called');
  expect(a.leftMs).toBeLessThanOrEqual(1500 + roundingMs);
  expect(b.leftMs).toBeLessThanOrEqual(a.leftBelowMs + roundingMs);
  expect(c.leftMs).toBeLessThanOrEqual(b.leftBelowMs + roundingMs);
  // The whole rest: by their shared clock, no deadline is before that of the caller.
  expect(b.deadlineAtMs).toBeGreaterThanOrEqual(a.deadlineAtMs);
  expect(c.deadlineAtMs).toBeGreaterThanOrEqual(b.deadlineAtMs);
  // Two of the three servers have worked before C was called.
  expect(c.leftMs).toBeLessThanOrEqual(1500 - 2 * workMs + 3 * roundingMs);
});

test('a cancelled call cancels all three hops', async () => {
  await using chain = await startChain(() => new Promise(() => {}));
  const abort = new AbortController();
  const answer = rejectionOf(chain.client.listEchoes({}, { signal: abort.signal, deadlineMs: 10_000 }));
  await chain.reached;
  const aborted = chain.hops.map(({ signal }) => untilAborted(signal));
  abort.abort();
  expect((await answer).code).toBe(Code.CANCELLED);
  await Promise.all(aborted);
  expect(chain.hops.map(({ signal }) => signal.reason.code)).toEqual(Array(3).fill(Code.CANCELLED));
});

async function untilAborted(signal: AbortSignal): Promise<void> {
  if (!signal.aborted) await new Promise((resolve) => signal.addEventListener('abort', resolve));
}

test.each(callsOfEachKind)(
  "ensure a %s call that says nothing of it leaves with the contract's deadline",
  async (_kind, call) => {
    const tooLongMs = Promise.withResolvers<number>();
    await using server = await startTestServer(
      EchoService,
      handlerOfEachKind(() => []),
      {
        // Rejects a call without a deadline.
        deadlineMode: 'require',
        modifyChain: (chain) => [
          (next) => (served) => {
            const leftMs = Number(served.callerDeadlineAtMs) - Date.now();
            tooLongMs.resolve(leftMs - served.method.policy.deadlineMs);
            return next(served);
          },
          ...chain,
        ],
      },
    );
    await call(server.client);
    expect(await tooLongMs.promise).toBeLessThanOrEqual(roundingMs);
  },
);

test('a deadline beyond the range of Node timers has not expired', async () => {
  const dayMs = 24 * 60 * 60 * 1000;
  const leftMs = Promise.withResolvers<number>();
  await using server = await startTestServer(
    EchoService,
    { listEchoes: async () => ({}) },
    {
      modifyChain: (chain) => [
        (next) => (served) => {
          leftMs.resolve((served.callerDeadlineAtMs ?? 0) - Date.now());
          return next(served);
        },
        ...chain,
      ],
    },
  );
  const desc = EchoService.method.listEchoes;
  const policy = { deadlineMs: 30 * dayMs, maxDeadlineMs: 60 * dayMs, scopes: [] };
  const grpc = new GrpcClient(server.target, credentials.createInsecure());
  onTestFinished(() => grpc.close());
  const calls = { grpc, token: () => 'test-token', maxRequestBytes: 1024 };
  const listEchoes = unaryMethod(calls, { desc, name: 'testing.v1.EchoService/ListEchoes', policy });
  await listEchoes({} as never);
  expect(await leftMs.promise).toBeGreaterThan(23 * dayMs);
});
