import { expect, test } from 'vitest';
import { Code, RpcError } from '../errors/rpc-error.ts';
import { EchoService } from '../testing/gen/testing/v1/echo_service_pb.ts';
import { rejectionOf } from '../testing/rejection-of.ts';
import { startTestServer } from '../testing/start-test-server.ts';
import { collectLog } from '../testing/telemetry/collect-log.ts';
import { collectTelemetry } from '../testing/telemetry/collect-telemetry.ts';
import { CircuitOpenError, createCircuitBreaker } from './circuit-breaker.ts';

/** A breaker on a clock that stands still until it is told to move. The middle of its jitter: 500 ms to the probe. */
function openBench() {
  const clock = { ms: 1_000_000 };
  const { log, lines } = collectLog();
  const breaker = createCircuitBreaker({ name: 'other', log, nowMs: () => clock.ms, random: () => 0.5 });
  const answer = () => breaker.execute(async () => 'answer');
  /** A call that fails after a time. */
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
  /** A call that ends when it is told to. */
  const begin = () => {
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    const ended = breaker.execute(() => promise);
    ended.catch(() => {});
    return { ended, resolve, reject };
  };
  return { breaker, clock, lines, answer, fail, open, begin };
}

test('ensure five failures in a row open it, and nobody is called any more', async () => {
  const { breaker, answer, fail } = openBench();
  for (let call = 0; call < 4; call++) await fail(Code.UNAVAILABLE);
  await answer();
  for (let call = 0; call < 4; call++) await fail(Code.UNAVAILABLE);
  expect(breaker.permits()).toBe(Infinity);
  await fail(Code.UNAVAILABLE);
  expect(breaker.permits()).toBe(0);
  let isCalled = false;
  const refused = breaker.execute(async () => {
    isCalled = true;
  });
  expect(await rejectionOf(refused)).toBeInstanceOf(CircuitOpenError);
  expect(isCalled).toBe(false);
});

test.each([
  ['UNAVAILABLE', Code.UNAVAILABLE, 0, 0],
  ['a deadline that gave it time', Code.DEADLINE_EXCEEDED, 250, 0],
  ['the deadline of a caller in a hurry', Code.DEADLINE_EXCEEDED, 249, Infinity],
  ['a caller that has gone', Code.CANCELLED, 250, Infinity],
  ['a failed precondition', Code.FAILED_PRECONDITION, 0, Infinity],
  ['nothing found', Code.NOT_FOUND, 0, Infinity],
  ['a server that is busy', Code.RESOURCE_EXHAUSTED, 0, Infinity],
  ['a defect', Code.INTERNAL, 0, Infinity],
])('ensure %s counts for what it says of the service', async (_name, code, afterMs, admitted) => {
  const { breaker, fail } = openBench();
  for (let call = 0; call < 10 && breaker.permits() > 0; call++) await fail(code, afterMs);
  expect(breaker.permits()).toBe(admitted);
});

test('ensure an error that is no status says nothing, and is passed on', async () => {
  const { breaker } = openBench();
  const defect = new TypeError('null is not an object');
  for (let call = 0; call < 5; call++)
    await expect(breaker.execute(() => Promise.reject(defect))).rejects.toBe(defect);
  expect(breaker.permits()).toBe(Infinity);
});

test('ensure one call is its probe, and the others go on failing until that is answered', async () => {
  const { breaker, clock, open, answer, begin } = openBench();
  await open();
  clock.ms += 499;
  expect(breaker.permits()).toBe(0);
  clock.ms += 1;
  expect(breaker.permits()).toBe(1);
  const probe = begin();
  expect(breaker.permits()).toBe(0);
  await expect(answer()).rejects.toThrow(CircuitOpenError);
  probe.resolve('back');
  expect(await probe.ended).toBe('back');
  expect(breaker.permits()).toBe(Infinity);
  expect(await answer()).toBe('answer');
});

test('ensure a probe that fails opens it for as long again', async () => {
  const { breaker, clock, open, fail } = openBench();
  await open();
  clock.ms += 500;
  await fail(Code.UNAVAILABLE);
  clock.ms += 499;
  expect(breaker.permits()).toBe(0);
  clock.ms += 1;
  expect(breaker.permits()).toBe(1);
});

test('ensure a probe that tells nothing leaves room for the next', async () => {
  const { breaker, clock, open, fail } = openBench();
  await open();
  clock.ms += 500;
  await fail(Code.CANCELLED);
  expect(breaker.permits()).toBe(1);
});

test('ensure whoever waits when it opens is let go, and the answer to that call closes it', async () => {
  const { breaker, open, begin } = openBench();
  const slow = begin();
  await open();
  await expect(slow.ended).rejects.toThrow(CircuitOpenError);
  slow.resolve('late');
  await expect.poll(() => breaker.permits()).toBe(Infinity);
});

test('ensure what fails late, from before it opened, does not open it again', async () => {
  const { breaker, clock, open, answer, begin } = openBench();
  const before = Array.from({ length: 10 }, begin);
  await open();
  clock.ms += 500;
  await answer();
  for (const call of before) call.reject(new RpcError(Code.DEADLINE_EXCEEDED, 'late'));
  await new Promise(setImmediate);
  expect(breaker.permits()).toBe(Infinity);
});

test('ensure many that wait for an answer which nobody gets open it before their deadlines', async () => {
  const { breaker, clock, answer, begin } = openBench();
  clock.ms += 3_600_000;
  const waiting = Array.from({ length: 17 }, begin);
  await new Promise(setImmediate);
  clock.ms += 400;
  await answer();
  waiting.push(begin());
  clock.ms += 499;
  waiting.push(begin());
  await new Promise(setImmediate);
  expect(breaker.permits()).toBe(Infinity);
  clock.ms += 1;
  waiting.push(begin());
  for (const { ended } of waiting) await expect(ended).rejects.toThrow(CircuitOpenError);
  expect(breaker.permits()).toBe(0);
});

test('ensure silence is not believed before the answers that have come were read', async () => {
  const { lines, clock, begin } = openBench();
  const waiting = Array.from({ length: 16 }, begin);
  clock.ms += 500;
  setImmediate(() => waiting[0]?.resolve('it was us'));
  begin();
  await new Promise(setImmediate);
  expect(lines).toEqual([]);
});

test('ensure each change is a line in the log, and a measurement', async () => {
  await using telemetry = collectTelemetry();
  const { clock, lines, open, fail, answer } = openBench();
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
  expect(lines.at(-1)).toMatchObject({ circuit: 'other', open_ms: 1000, refused: 1 });
});

test('ensure a service that does not answer is called no more', async () => {
  const { breaker, clock } = openBench();
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
  const refusal = await rejectionOf(getEcho());
  expect(refusal).toBeInstanceOf(CircuitOpenError);
  expect(refusal.code).toBe(Code.UNAVAILABLE);
  expect(calls).toBe(5);
});
