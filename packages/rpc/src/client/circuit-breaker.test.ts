import { expect, test } from 'vitest';
import { Code, RpcError } from '../errors/rpc-error.ts';
import { inSpan } from '../telemetry/span.ts';
import { EchoService } from '../testing/gen/testing/v1/echo_service_pb.ts';
import { rejectionOf } from '../testing/rejection-of.ts';
import { startTestServer } from '../testing/start-test-server.ts';
import { collectLog } from '../testing/telemetry/collect-log.ts';
import { collectTelemetry } from '../testing/telemetry/collect-telemetry.ts';
import { CircuitOpenError, createCircuitBreaker } from './circuit-breaker.ts';

/** A breaker with a manual clock and no jitter: 500 ms until the probe. */
function startBreaker() {
  const clock = { ms: 1_000_000 };
  const { log, lines } = collectLog();
  const breaker = createCircuitBreaker({ name: 'other', log, nowMs: () => clock.ms, random: () => 0.5 });
  const answer = () => breaker.execute(async () => 'answer');
  /** Makes a call that fails after a time. */
  const fail = (code: Code, afterMs = 0) =>
    rejectionOf(
      breaker.execute(async () => {
        clock.ms += afterMs;
        throw new RpcError(code, 'why');
      }),
    );
  const open = async () => {
    for (let call = 0; call < 5; call++) await fail(Code.UNAVAILABLE);
  };
  /** Starts a call that the test settles. */
  const begin = () => {
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    const ended = breaker.execute(() => promise);
    ended.catch(() => {});
    return { ended, resolve, reject };
  };
  return { breaker, clock, lines, answer, fail, open, begin };
}

test('five failures in a row open the circuit, and no call is made', async () => {
  const { breaker, answer, fail } = startBreaker();
  for (let call = 0; call < 4; call++) await fail(Code.UNAVAILABLE);
  await answer();
  for (let call = 0; call < 4; call++) await fail(Code.UNAVAILABLE);
  expect(breaker.state()).toBe('closed');
  await fail(Code.UNAVAILABLE);
  expect(breaker.state()).toBe('open');
  let isCalled = false;
  const rejected = breaker.execute(async () => {
    isCalled = true;
  });
  expect(await rejectionOf(rejected)).toBeInstanceOf(CircuitOpenError);
  expect(isCalled).toBe(false);
});

test('the span of work that is rejected without a call has the name of the open circuit', async () => {
  await using telemetry = collectTelemetry();
  const { answer, open } = startBreaker();
  await open();
  await inSpan('work', {}, () => rejectionOf(answer()));
  expect(telemetry.spans).toMatchObject([{ attributes: { 'circuit_breaker.open': 'other' } }]);
});

test.each([
  ['UNAVAILABLE', Code.UNAVAILABLE, 0, 'open'],
  ['a deadline of at least 250 ms', Code.DEADLINE_EXCEEDED, 250, 'open'],
  ['a shorter deadline', Code.DEADLINE_EXCEEDED, 249, 'closed'],
  ['a cancelled call', Code.CANCELLED, 250, 'closed'],
  ['a failed precondition', Code.FAILED_PRECONDITION, 0, 'closed'],
  ['nothing found', Code.NOT_FOUND, 0, 'closed'],
  ['a server that is busy', Code.RESOURCE_EXHAUSTED, 0, 'closed'],
  ['a defect', Code.INTERNAL, 0, 'closed'],
])('%s counts as a failure or not', async (_name, code, afterMs, state) => {
  const { breaker, fail } = startBreaker();
  for (let call = 0; call < 10 && breaker.state() !== 'open'; call++) await fail(code, afterMs);
  expect(breaker.state()).toBe(state);
});

test('an error without a status does not count, and is rethrown', async () => {
  const { breaker } = startBreaker();
  const defect = new TypeError('null is not an object');
  for (let call = 0; call < 5; call++)
    await expect(breaker.execute(() => Promise.reject(defect))).rejects.toBe(defect);
  expect(breaker.state()).toBe('closed');
});

test('one call is the probe, and the others fail until it is answered', async () => {
  const { breaker, clock, open, answer, begin } = startBreaker();
  await open();
  clock.ms += 499;
  expect(breaker.state()).toBe('open');
  clock.ms += 1;
  expect(breaker.state()).toBe('probe-due');
  const probe = begin();
  expect(breaker.state()).toBe('open');
  await expect(answer()).rejects.toThrow(CircuitOpenError);
  probe.resolve('back');
  expect(await probe.ended).toBe('back');
  expect(breaker.state()).toBe('closed');
  expect(await answer()).toBe('answer');
});

test('a failed probe keeps the circuit open for the same time again', async () => {
  const { breaker, clock, open, fail } = startBreaker();
  await open();
  clock.ms += 500;
  await fail(Code.UNAVAILABLE);
  clock.ms += 499;
  expect(breaker.state()).toBe('open');
  clock.ms += 1;
  expect(breaker.state()).toBe('probe-due');
});

test('after a probe without a clear outcome the next call is the probe', async () => {
  const { breaker, clock, open, fail } = startBreaker();
  await open();
  clock.ms += 500;
  await fail(Code.CANCELLED);
  expect(breaker.state()).toBe('probe-due');
});

test('pending calls are rejected when the circuit opens, and a late answer closes it', async () => {
  const { breaker, open, begin } = startBreaker();
  const slow = begin();
  await open();
  await expect(slow.ended).rejects.toThrow(CircuitOpenError);
  slow.resolve('late');
  await expect.poll(() => breaker.state()).toBe('closed');
});

test('late failures of calls from before it opened do not open it again', async () => {
  const { breaker, clock, open, answer, begin } = startBreaker();
  const before = Array.from({ length: 10 }, begin);
  await open();
  clock.ms += 500;
  await answer();
  for (const call of before) call.reject(new RpcError(Code.DEADLINE_EXCEEDED, 'late'));
  await new Promise(setImmediate);
  expect(breaker.state()).toBe('closed');
});

test('many pending calls without an answer open the circuit before their deadlines', async () => {
  const { breaker, clock, answer, begin } = startBreaker();
  clock.ms += 3_600_000;
  const waiting = Array.from({ length: 17 }, begin);
  await new Promise(setImmediate);
  clock.ms += 400;
  await answer();
  waiting.push(begin());
  clock.ms += 499;
  waiting.push(begin());
  await new Promise(setImmediate);
  expect(breaker.state()).toBe('closed');
  clock.ms += 1;
  waiting.push(begin());
  for (const { ended } of waiting) await expect(ended).rejects.toThrow(CircuitOpenError);
  expect(breaker.state()).toBe('open');
});

test('answers that have arrived are read before silence opens the circuit', async () => {
  const { lines, clock, begin } = startBreaker();
  const waiting = Array.from({ length: 16 }, begin);
  clock.ms += 500;
  setImmediate(() => waiting[0]?.resolve('late'));
  begin();
  await new Promise(setImmediate);
  expect(lines).toEqual([]);
});

test('each change of state is logged and measured', async () => {
  await using telemetry = collectTelemetry();
  const { clock, lines, open, fail, answer } = startBreaker();
  await open();
  clock.ms += 500;
  await fail(Code.UNAVAILABLE);
  expect(await telemetry.points('rpc.client.circuit_breaker.state')).toMatchObject([
    { attributes: { 'circuit_breaker.name': 'other' }, value: 2 },
  ]);
  await rejectionOf(answer());
  clock.ms += 500;
  await answer();
  expect(await telemetry.points('rpc.client.circuit_breaker.state')).toMatchObject([{ value: 0 }]);
  expect(lines.map(({ level, msg }) => `${level}: ${msg}`)).toEqual([
    'warn: circuit opened: 5 calls in a row failed',
    'debug: circuit half-open: one call is the probe',
    'debug: circuit stays open: the probe failed',
    'debug: circuit half-open: one call is the probe',
    'info: circuit closed',
  ]);
  expect(lines[0]).toMatchObject({ circuit: 'other', err: { message: 'why' } });
  expect(lines.at(-1)).toMatchObject({ circuit: 'other', open_ms: 1000, rejected: 1 });
});

test('a service that does not answer is no longer called', async () => {
  const { breaker, clock } = startBreaker();
  let calls = 0;
  await using server = await startTestServer(EchoService, {
    getEcho: async () => {
      calls++;
      clock.ms += 250;
      throw new RpcError(Code.DEADLINE_EXCEEDED, 'the database is slow');
    },
  });
  const getEcho = () => breaker.execute(() => server.client.getEcho({ key: 'A' }));
  for (let call = 0; call < 5; call++) await rejectionOf(getEcho());
  const rejection = await rejectionOf(getEcho());
  expect(rejection).toBeInstanceOf(CircuitOpenError);
  expect(rejection.code).toBe(Code.UNAVAILABLE);
  expect(calls).toBe(5);
});
