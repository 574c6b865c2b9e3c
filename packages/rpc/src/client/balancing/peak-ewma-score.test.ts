import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Code } from '../../errors/rpc-error.ts';
import { choose, initialLoad, type Load, measure } from './peak-ewma-score.ts';

/** A replica that has just answered in this time, with calls in flight. */
const answered = (latencyMs: number, inFlight = 0, measuredAtMs = 0): Load => ({
  latencyMs,
  inFlight,
  measuredAtMs,
});

/** Who gets a call of two: whichever is drawn first, the better one must win. */
function better(loads: readonly [Load, Load], nowMs = 0): number {
  const [first, second] = [0, 0.999].map((drawn) => choose(loads, nowMs, () => drawn));
  expect(second).toBe(first);
  return first ?? -1;
}

const named = (codes: readonly Code[]) => codes.map((code) => [Code[code], code] as const);

test('ensure the faster of two gets the call', () => {
  expect(better([answered(60), answered(2)])).toBe(1);
});

test('ensure the slower one gets it when the faster is that much busier', () => {
  expect(better([answered(60), answered(2, 28)])).toBe(1);
  expect(better([answered(60), answered(2, 30)])).toBe(0);
});

test('ensure a slower answer counts at once, and a faster one as the slow ones are forgotten', () => {
  const load = answered(10);
  measure(load, Code.OK, 100, 1);
  expect(load.latencyMs).toBe(100);
  measure(load, Code.OK, 10, 2);
  expect(load.latencyMs).toBeCloseTo(100, 0);
  measure(load, Code.OK, 10, 2002);
  expect(load.latencyMs).toBeCloseTo(10 + 90 / Math.E, 0);
  measure(load, Code.OK, 100, 10_000);
  expect(better([load, answered(50, 0, 10_000)], 10_000)).toBe(1);
});

test('ensure a new replica gets a call, and no second one before it has answered', () => {
  const fresh = initialLoad();
  expect(better([answered(2), fresh])).toBe(1);
  fresh.inFlight = 1;
  expect(better([answered(2), fresh])).toBe(0);
});

test('ensure one that was slow is tried again after a while, with one call', () => {
  const slow = answered(60);
  expect(better([slow, answered(2, 0, 1_000)], 1_000)).toBe(1);
  const fast = answered(2, 0, 10_000);
  expect(better([slow, fast], 10_000)).toBe(0);
  slow.inFlight = 1;
  expect(better([slow, fast], 10_000)).toBe(1);
});

test('ensure replicas of which nothing is known are told apart by their calls in flight', () => {
  expect(
    better([
      { ...initialLoad(), inFlight: 2 },
      { ...initialLoad(), inFlight: 1 },
    ]),
  ).toBe(1);
});

test.each(named([Code.UNAVAILABLE, Code.INTERNAL, Code.RESOURCE_EXHAUSTED, Code.UNKNOWN, Code.DATA_LOSS]))(
  'ensure one that fails fast with %s is no fast one',
  (_name, code) => {
    const failing = initialLoad();
    measure(failing, code, 0.1, 0);
    expect(better([failing, answered(500)])).toBe(1);
  },
);

test.each(named([Code.NOT_FOUND, Code.FAILED_PRECONDITION, Code.PERMISSION_DENIED, Code.ALREADY_EXISTS]))(
  'ensure %s is an answer like any other',
  (_name, code) => {
    const load = initialLoad();
    measure(load, code, 2, 0);
    expect(load.latencyMs).toBe(2);
  },
);

test('ensure a call that was given up says that it took at least so long, and nothing better', () => {
  const load = answered(50);
  measure(load, Code.CANCELLED, 1, 5_000);
  expect(load).toEqual(answered(50));
  measure(load, Code.CANCELLED, 80, 5_000);
  expect(load.latencyMs).toBe(80);
  const fresh = initialLoad();
  measure(fresh, Code.CANCELLED, 1, 0);
  expect(fresh.latencyMs).toBeUndefined();
});

const anyLoad: fc.Arbitrary<Load> = fc.record({
  inFlight: fc.nat(1000),
  latencyMs: fc.option(fc.double({ min: 0, max: 1e6, noNaN: true }), { nil: undefined }),
  measuredAtMs: fc.nat(1e6),
});

test('ensure there is a choice whatever the replicas, and every one of them can be drawn', () => {
  fc.assert(
    fc.property(
      fc.array(anyLoad, { minLength: 1, maxLength: 9 }),
      fc.double({ min: 0, max: 0.999, noNaN: true }),
      (loads, drawn) => {
        expect(loads[choose(loads, 1e6, () => drawn)]).toBeDefined();
      },
    ),
  );
  const idle = [0, 1, 2, 3].map(() => initialLoad());
  const drawn = new Set([0, 0.3, 0.6, 0.9].map((random) => choose(idle, 0, () => random)));
  expect(drawn).toEqual(new Set([0, 1, 2, 3]));
});
