import { describe, expect, test } from 'vitest';
import type { CallContext } from '../call/call-context.ts';
import { methodPath } from '../call/method-name.ts';
import { Code, RpcError } from '../errors/rpc-error.ts';
import { callsOfEachKind, handlerOfEachKind } from '../testing/calls-of-each-kind.ts';
import { EchoService } from '../testing/gen/testing/v1/echo_service_pb.ts';
import { connectRaw, grpcFrame } from '../testing/network/raw-http2.ts';
import { pastDeadline } from '../testing/past-deadline.ts';
import { rejectionOf } from '../testing/rejection-of.ts';
import { startTestServer, type TestServerOptions } from '../testing/start-test-server.ts';

/** By the contract the deadline is 2 s by default and 10 s at most. */
const listEchoes = methodPath(EchoService.method.listEchoes);
const empty = grpcFrame(Buffer.alloc(0));

/** Calls without `createClient`, whose client always sets a deadline. Returns the time that the handler had. */
async function timeGranted(headers: Record<string, string>, options: TestServerOptions = {}) {
  const granted: { atLeastMs: number; atMostMs: number }[] = [];
  const beforeMs = Date.now();
  await using server = await startTestServer(
    EchoService,
    {
      listEchoes: async (_request, { deadlineAtMs }) => {
        granted.push({ atLeastMs: deadlineAtMs - Date.now(), atMostMs: deadlineAtMs - beforeMs });
        return {};
      },
    },
    options,
  );
  await using connection = await connectRaw(server.target);
  return { answer: await connection.post(listEchoes, empty, headers), granted: granted[0] };
}

test("a call without a deadline gets the contract's", async () => {
  const { answer, granted } = await timeGranted({});
  expect(answer.code).toBe(Code.OK);
  expect(granted?.atLeastMs).toBeLessThanOrEqual(2000);
  expect(granted?.atMostMs).toBeGreaterThanOrEqual(2000);
});

test('a call without a deadline is rejected as INVALID_ARGUMENT in mode require', async () => {
  const { answer, granted } = await timeGranted({}, { deadlineMode: 'require' });
  expect(answer.code).toBe(Code.INVALID_ARGUMENT);
  expect(answer.message).toContain('ListEchoes needs a deadline; the contract suggests 2000 ms');
  expect(granted).toBe(undefined);
});

test('a call with a deadline is served in mode require', async () => {
  const { answer } = await timeGranted({ 'grpc-timeout': '5S' }, { deadlineMode: 'require' });
  expect(answer.code).toBe(Code.OK);
});

test("a deadline is capped at the contract's max_deadline", async () => {
  const { granted } = await timeGranted({ 'grpc-timeout': '1H' });
  expect(granted?.atLeastMs).toBeLessThanOrEqual(10_000);
  expect(granted?.atMostMs).toBeGreaterThanOrEqual(10_000);
});

test("a caller's deadline beyond the contract's, but within max_deadline, is granted", async () => {
  const { granted } = await timeGranted({ 'grpc-timeout': '9S' });
  expect(granted?.atLeastMs).toBeLessThanOrEqual(9000);
  expect(granted?.atMostMs).toBeGreaterThanOrEqual(9000);
});

test("a call whose handler ignores its signal ends at the contract's deadline, and is logged so", async () => {
  await using server = await startTestServer(EchoService, { getEcho: () => new Promise(() => {}) });
  await using connection = await connectRaw(server.target);
  const key = grpcFrame(Buffer.from('0a0141', 'hex'));
  const answer = await connection.post(methodPath(EchoService.method.getEcho), key);
  expect(answer).toMatchObject({ code: Code.DEADLINE_EXCEEDED, message: 'deadline exceeded' });
  expect(server.logLines).toMatchObject([{ msg: 'call', code: 'DEADLINE_EXCEEDED' }]);
});

describe.each(callsOfEachKind)('a %s call', (_kind, call) => {
  test("the signal is aborted at the caller's deadline, for that reason", async () => {
    const reason = Promise.withResolvers<unknown>();
    let served = false;
    const untilAborted = async ({ signal }: CallContext) => {
      served = true;
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
      reason.resolve(signal.reason);
      return [];
    };
    await using server = await startTestServer(
      EchoService,
      handlerOfEachKind((_request: unknown, context: CallContext) => untilAborted(context)),
    );
    const error = await pastDeadline(
      (options) => call(server.client, options),
      () => served,
    );
    expect(error.code).toBe(Code.DEADLINE_EXCEEDED);
    expect(await reason.promise).toEqual(new RpcError(Code.DEADLINE_EXCEEDED, 'deadline exceeded'));
  });

  test('the signal is aborted when the caller cancels, for that reason', async () => {
    const context = Promise.withResolvers<CallContext>();
    await using server = await startTestServer(
      EchoService,
      handlerOfEachKind((_request: unknown, served: CallContext) => {
        context.resolve(served);
        return new Promise(() => {});
      }),
    );
    const abort = new AbortController();
    const answer = rejectionOf(call(server.client, { signal: abort.signal }));
    const { signal } = await context.promise;
    const aborted = new Promise((resolve) => signal.addEventListener('abort', resolve));
    abort.abort();
    expect((await answer).code).toBe(Code.CANCELLED);
    await aborted;
    expect(signal.reason).toEqual(new RpcError(Code.CANCELLED, 'cancelled by the caller'));
  });
});
