import { untilDefinite } from '../../harness/customer.ts';
import { type Stage, within } from './scenario.ts';

/** A call may be so much later than its deadline, beyond what this process itself was late by. */
const toleranceMs = 100;

/** Expects that, from now on, an order is taken within this time. */
export async function expectRecovery(stage: Stage, withinMs: number): Promise<void> {
  const { customers, wish, random, expect } = stage;
  const startMs = performance.now();
  const wanted = wish({ a: 1 });
  const placing = untilDefinite(random, { giveUp: false }, () => customers.place(wanted));
  const outcome = await within(30_000, 'an order after the fault', placing);
  const tookMs = performance.now() - startMs;
  expect(outcome.kind === 'ok', `after the fault an order was answered ${JSON.stringify(outcome)}`);
  expect(tookMs <= withinMs, `the first order after the fault took ${Math.round(tookMs)} ms`);
}

/** Expects that the calls since then failed in no other way than these, and that none outlived its deadline of 2 s. */
export function expectCodes({ history, expect }: Stage, since: number, codes: readonly string[]): void {
  for (const { outcome, startMs, endMs, method } of history.slice(since)) {
    if (outcome.kind === 'unknown')
      expect(codes.includes(outcome.code), `${method} was answered ${outcome.code}: ${outcome.message}`);
    const tookMs = Math.round(endMs - startMs);
    expect(tookMs <= 2000 + hangMs, `${method} was answered after ${tookMs} ms`);
  }
}

/** A call that is later than this hangs, on whatever machine. */
const hangMs = 1000;

/** How late timers of this process were at the worst since it was asked to watch, and the tolerance on top. */
export function watchTolerance(): { readonly ms: number; stop(): void } {
  const everyMs = 10;
  let worstMs = 0;
  let expectedMs = performance.now() + everyMs;
  const timer = setInterval(() => {
    const nowMs = performance.now();
    worstMs = Math.max(worstMs, nowMs - expectedMs);
    expectedMs = nowMs + everyMs;
  }, everyMs);
  return {
    get ms() {
      return toleranceMs + worstMs;
    },
    stop: () => clearInterval(timer),
  };
}
