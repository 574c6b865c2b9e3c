import { describe, expect, test } from 'vitest';
import {
  type AdaptiveConcurrencyLimit,
  createAdaptiveConcurrencyLimit,
} from './adaptive-concurrency-limit.ts';

const limits = { minLimit: 4, initialLimit: 100, maxLimit: 1000 };

interface Load {
  /** Number of callers. Each makes its next call when the last is answered, and waits while the limit is reached. */
  readonly callers: number;
  /** Duration of calls, of one method or of several in turn. */
  readonly latencyMs: (inFlight: number) => readonly number[];
  readonly deadlineMs?: number;
  readonly turnMs?: (inFlight: number) => number;
  readonly ok?: boolean;
}

/** Simulates callers of a server with a clock of its own. */
function simulate(limit: AdaptiveConcurrencyLimit) {
  let nowMs = 0;
  return (load: Load, durationMs: number) => {
    const untilMs = nowMs + durationMs;
    while (nowMs < untilMs) {
      const inFlight = Math.min(load.callers, limit.value());
      limit.recordTurn(load.turnMs?.(inFlight) ?? 0.1);
      const latencies = load.latencyMs(inFlight);
      const startMs = nowMs;
      nowMs += Math.max(...latencies);
      for (let call = 0; call < inFlight; call++)
        limit.record({
          startMs,
          endMs: startMs + (latencies[call % latencies.length] ?? 0),
          deadlineMs: load.deadlineMs ?? 1000,
          inFlight,
          ok: load.ok ?? true,
        });
    }
    return limit.value();
  };
}

const quick = () => [10];

describe('growth', () => {
  test('the limit grows while it is used and calls are fast, up to the maximum', () => {
    const run = simulate(createAdaptiveConcurrencyLimit(limits));
    // One step per window. The first calls make the first step.
    expect(run({ callers: 5000, latencyMs: quick }, 50)).toBe(110);
    expect(run({ callers: 5000, latencyMs: quick }, 100)).toBe(120);
    expect(run({ callers: 5000, latencyMs: quick }, 60_000)).toBe(1000);
  });

  test('the limit grows only while at least half of it is used', () => {
    const run = simulate(createAdaptiveConcurrencyLimit(limits));
    expect(run({ callers: 49, latencyMs: quick }, 60_000)).toBe(100);
    expect(run({ callers: 50, latencyMs: quick }, 1000)).toBeGreaterThan(100);
  });

  test('the limit grows with methods of 1 ms and of 200 ms side by side', () => {
    const run = simulate(createAdaptiveConcurrencyLimit(limits));
    expect(run({ callers: 5000, latencyMs: () => [1, 200] }, 60_000)).toBe(1000);
  });

  test('the limit grows with batches that take longer the more calls they contain', () => {
    const run = simulate(createAdaptiveConcurrencyLimit(limits));
    const batches = { callers: 5000, latencyMs: (inFlight: number) => [8 + inFlight / 10] };
    expect(run(batches, 60_000)).toBe(1000);
  });
});

describe('decrease', () => {
  test('the limit shrinks until the turn of the event loop is at its target', () => {
    const run = simulate(createAdaptiveConcurrencyLimit(limits));
    const busy = { callers: 5000, latencyMs: quick, turnMs: (inFlight: number) => inFlight / 2 };
    run(busy, 2000);
    // The turn takes 10 ms with 20 calls in flight, plus or minus one step.
    for (let look = 0; look < 20; look++) {
      expect(run(busy, 100)).toBeGreaterThanOrEqual(15);
      expect(run(busy, 100)).toBeLessThanOrEqual(26);
    }
  });

  test('the limit shrinks until calls take a quarter of their deadline', () => {
    const run = simulate(createAdaptiveConcurrencyLimit(limits));
    const queueing = { callers: 5000, latencyMs: (inFlight: number) => [inFlight * 5] };
    run(queueing, 20_000);
    for (let look = 0; look < 20; look++) {
      expect(run(queueing, 300)).toBeGreaterThanOrEqual(40);
      expect(run(queueing, 300)).toBeLessThanOrEqual(60);
    }
  });

  test('the limit shrinks to its minimum, and grows again after the load', () => {
    const run = simulate(createAdaptiveConcurrencyLimit(limits));
    expect(run({ callers: 5000, latencyMs: () => [900] }, 60_000)).toBe(4);
    expect(run({ callers: 5000, latencyMs: quick }, 3000)).toBeGreaterThan(50);
  });

  test('the limit shrinks when all calls fail at their deadline', () => {
    const run = simulate(createAdaptiveConcurrencyLimit(limits));
    expect(run({ callers: 5000, latencyMs: () => [1000], ok: false }, 60_000)).toBe(4);
  });

  test('the limit shrinks in proportion to the length of a long turn among many short ones', () => {
    const run = simulate(createAdaptiveConcurrencyLimit({ ...limits, initialLimit: 1000 }));
    let turn = 0;
    const stalling = () => (turn++ % 20 === 19 ? 400 : 1);
    expect(run({ callers: 5000, latencyMs: () => [10], turnMs: stalling }, 10_000)).toBeLessThan(600);
  });

  test('the limit shrinks once for calls that started before', () => {
    const limit = createAdaptiveConcurrencyLimit(limits);
    const slow = (startMs: number, endMs: number) => {
      limit.recordTurn(1);
      limit.record({ startMs, endMs, deadlineMs: 1000, inFlight: 100, ok: true });
    };
    for (let call = 0; call < 10; call++) slow(0, 900);
    // The limit falls by at most three tenths, however slow the calls are.
    expect(limit.value()).toBe(70);
    for (let call = 0; call < 90; call++) slow(800, 1100);
    expect(limit.value()).toBe(70);
    for (let call = 0; call < 10; call++) slow(900, 1400);
    expect(limit.value()).toBe(49);
  });
});

describe('no change', () => {
  test('the limit does not change when calls fail fast or are cancelled early', () => {
    const run = simulate(createAdaptiveConcurrencyLimit(limits));
    expect(run({ callers: 5000, latencyMs: () => [0.1], ok: false }, 10_000)).toBe(100);
    expect(run({ callers: 5000, latencyMs: () => [200], ok: false }, 10_000)).toBe(100);
  });

  test('the limit does not change when the slow calls of a few callers do not reach it', () => {
    const run = simulate(createAdaptiveConcurrencyLimit(limits));
    expect(run({ callers: 20, latencyMs: () => [900], turnMs: () => 50 }, 60_000)).toBe(100);
  });

  test('the limit does not change while the server is idle', () => {
    const run = simulate(createAdaptiveConcurrencyLimit(limits));
    const few = { callers: 1, latencyMs: quick };
    run({ callers: 5000, latencyMs: quick, turnMs: (inFlight) => inFlight / 2 }, 5000);
    const learnt = run(few, 1000);
    expect(learnt).toBeLessThan(30);
    run({ callers: 0, latencyMs: () => [86_400_000] }, 86_400_000);
    expect(run(few, 1000)).toBe(learnt);
  });

  test('the limit does not change until ten calls have ended, however slow they are', () => {
    const limit = createAdaptiveConcurrencyLimit(limits);
    limit.recordTurn(1);
    const slow = () => limit.record({ startMs: 0, endMs: 900, deadlineMs: 1000, inFlight: 100, ok: true });
    for (let call = 0; call < 9; call++) slow();
    expect(limit.value()).toBe(100);
    slow();
    expect(limit.value()).toBe(70);
  });

  test('the limit does not change until the first turn of a window has ended', () => {
    const limit = createAdaptiveConcurrencyLimit(limits);
    const call = (endMs: number) =>
      limit.record({ startMs: 0, endMs, deadlineMs: 1000, inFlight: 100, ok: true });
    for (let count = 0; count < 50; count++) call(200);
    expect(limit.value()).toBe(100);
    limit.recordTurn(20);
    call(200);
    expect(limit.value()).toBe(70);
  });
});
