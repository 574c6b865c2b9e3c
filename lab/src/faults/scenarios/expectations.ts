import { setTimeout as sleep } from 'node:timers/promises';
import { untilDefinite } from '../../harness/customers.ts';
import { withTimeout } from '../../harness/with-timeout.ts';
import type { ScenarioContext } from './scenario.ts';

/** Tolerance for the deadline of a call, in addition to the timer lag of this process. */
const toleranceMs = 100;
/** A call this much later than its deadline hangs, even on a busy machine. */
const hangMs = 1000;
const confirmTimeoutMs = 60_000;

/** Expects that an order placed now is accepted within this time. */
export async function expectOrderWithin(context: ScenarioContext, limitMs: number): Promise<void> {
  const { customers, purchase, random, expect } = context;
  const startMs = performance.now();
  const order = purchase({ a: 1 });
  const placing = untilDefinite(random, { giveUp: false }, () => customers.place(order));
  const outcome = await withTimeout(30_000, 'an order after the fault', placing);
  const tookMs = performance.now() - startMs;
  expect(outcome.kind === 'ok', `after the fault an order was answered ${JSON.stringify(outcome)}`);
  expect(tookMs <= limitMs, `the first order after the fault took ${Math.round(tookMs)} ms`);
}

/** Places orders until one is answered CONFIRMED, which takes both services. Returns the time that it took. */
export async function confirmedOrderMs({ customers, purchase }: ScenarioContext): Promise<number> {
  const startMs = performance.now();
  while (performance.now() - startMs < confirmTimeoutMs) {
    const outcome = await customers.place(purchase({ a: 1 }));
    if (outcome.kind === 'ok' && outcome.state === 'CONFIRMED') return performance.now() - startMs;
    await sleep(20);
  }
  throw new Error(`no order was confirmed within ${confirmTimeoutMs / 1000} s after the fault`);
}

/** Expects that the calls since this index failed with these codes only, and that none outlived its deadline of 2 s. */
export function expectOnlyCodes(
  { history, expect }: ScenarioContext,
  since: number,
  codes: readonly string[],
): void {
  for (const { outcome, startMs, endMs, method } of history.slice(since)) {
    if (outcome.kind === 'unknown')
      expect(codes.includes(outcome.code), `${method} was answered ${outcome.code}: ${outcome.message}`);
    const tookMs = Math.round(endMs - startMs);
    expect(tookMs <= 2000 + hangMs, `${method} was answered after ${tookMs} ms`);
  }
}

/** Measures the largest lag of this process's timers from now on. `ms` is that lag plus a tolerance. */
export function measureTimerLag(): { readonly ms: number; stop(): void } {
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
