import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Code } from '../../errors/rpc-error.ts';
import { chooseReplica, initialLoad, type Load, recordCall } from './peak-ewma-score.ts';

/** A replica with this latency, measured just now, and with calls in flight. */
const answered = (latencyMs: number, inFlight = 0, measuredAtMs = 0): Load => ({
  latencyMs,
  inFlight,
  measuredAtMs,
});

/** Returns the index that gets the call. The better one of two must win in either order. */
function better(loads: readonly [Load, Load], nowMs = 0): number {
  const [first, second] = [0, 0.999].map((drawn) => chooseReplica(loads, nowMs, () => drawn));
  expect(second).toBe(first);
  return first ?? -1;
}

const named = (codes: readonly Code[]) => codes.map((code) => [Code[code], code] as const);

test('the faster of two replicas gets the call', () => {
  expect(better([answered(60), answered(2)])).toBe(1);
});

test('the slower replica gets the call if the faster one has enough calls in flight', () => {
  expect(better([answered(60), answered(2, 28)])).toBe(1);
  expect(better([answered(60), answered(2, 30)])).toBe(0);
});

test('a slower answer counts at once, and a faster one as the slow one decays', () => {
  const load = answered(10);
  recordCall(load, Code.OK, 100, 1);
  expect(load.latencyMs).toBe(100);
  recordCall(load, Code.OK, 10, 2);
  expect(load.latencyMs).toBeCloseTo(100, 0);
  recordCall(load, Code.OK, 10, 2002);
  expect(load.latencyMs).toBeCloseTo(10 + 90 / Math.E, 0);
  recordCall(load, Code.OK, 100, 10_000);
  expect(better([load, answered(50, 0, 10_000)], 10_000)).toBe(1);
});

test('a new replica gets one call, and no second one before its answer', () => {
  const fresh = initialLoad();
  expect(better([answered(2), fresh])).toBe(1);
  fresh.inFlight = 1;
  expect(better([answered(2), fresh])).toBe(0);
});

test('a slow replica is tried again after a while, with one call', () => {
  const slow = answered(60);
  expect(better([slow, answered(2, 0, 1_000)], 1_000)).toBe(1);
  const fast = answered(2, 0, 10_000);
  expect(better([slow, fast], 10_000)).toBe(0);
  slow.inFlight = 1;
  expect(better([slow, fast], 10_000)).toBe(1);
});

test('replicas without an answer are compared by their calls in flight', () => {
  expect(
    better([
      { ...initialLoad(), inFlight: 2 },
      { ...initialLoad(), inFlight: 1 },
    ]),
  ).toBe(1);
});

test.each(named([Code.UNAVAILABLE, Code.INTERNAL, Code.RESOURCE_EXHAUSTED, Code.UNKNOWN, Code.DATA_LOSS]))(
  'a replica that fails fast with %s does not count as fast',
  (_name, code) => {
    const failing = initialLoad();
    recordCall(failing, code, 0.1, 0);
    expect(better([failing, answered(500)])).toBe(1);
  },
);

test.each(named([Code.NOT_FOUND, Code.FAILED_PRECONDITION, Code.PERMISSION_DENIED, Code.ALREADY_EXISTS]))(
  '%s is an answer like any other',
  (_name, code) => {
    const load = initialLoad();
    recordCall(load, code, 2, 0);
    expect(load.latencyMs).toBe(2);
  },
);

test('a cancelled call can only raise the latency', () => {
  const load = answered(50);
  recordCall(load, Code.CANCELLED, 1, 5_000);
  expect(load).toEqual(answered(50));
  recordCall(load, Code.CANCELLED, 80, 5_000);
  expect(load.latencyMs).toBe(80);
  const fresh = initialLoad();
  recordCall(fresh, Code.CANCELLED, 1, 0);
  expect(fresh.latencyMs).toBeUndefined();
});

const anyLoad: fc.Arbitrary<Load> = fc.record({
  inFlight: fc.nat(1000),
  latencyMs: fc.option(fc.double({ min: 0, max: 1e6, noNaN: true }), { nil: undefined }),
  measuredAtMs: fc.nat(1e6),
});

test('every replica can be chosen, whatever the loads', () => {
  fc.assert(
    fc.property(
      fc.array(anyLoad, { minLength: 1, maxLength: 9 }),
      fc.double({ min: 0, max: 0.999, noNaN: true }),
      (loads, drawn) => {
        expect(loads[chooseReplica(loads, 1e6, () => drawn)]).toBeDefined();
      },
    ),
  );
  const idle = [0, 1, 2, 3].map(() => initialLoad());
  const drawn = new Set([0, 0.3, 0.6, 0.9].map((random) => chooseReplica(idle, 0, () => random)));
  expect(drawn).toEqual(new Set([0, 1, 2, 3]));
});
