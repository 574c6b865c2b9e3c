import { setTimeout as sleep } from 'node:timers/promises';
import { errorText } from '@acme/dev/cli';

/** A check that runs again and again, and leaves nine tenths of the time to others. */
export interface PacedCheck extends AsyncDisposable {
  /** Why the last run failed. Undefined if it did not. */
  readonly failure: string | undefined;
  /** Time at which the last successful run began. Undefined before the first. */
  readonly checkedAtMs: number | undefined;
}

/** Minimum pause after a run. */
const pauseMs = 1000;
/** Pause after a run, in its duration. */
const pauseFactor = 10;
/** Maximum pause after a run that failed, so that the check soon follows the end of an outage. */
const maxFailedPauseMs = 60_000;

/** @param onChecked Called after each run. */
export function startPacedCheck(check: () => Promise<void>, onChecked: () => void): PacedCheck {
  const ended = new AbortController();
  let failure: string | undefined;
  let checkedAtMs: number | undefined;
  const run = async () => {
    while (!ended.signal.aborted) {
      const beganAtMs = Date.now();
      try {
        await check();
        failure = undefined;
        checkedAtMs = beganAtMs;
      } catch (error) {
        failure = errorText(error);
      }
      const tookMs = Date.now() - beganAtMs;
      if (!ended.signal.aborted) onChecked();
      const restMs = pauseAfter(tookMs, failure !== undefined);
      await sleep(restMs, undefined, { signal: ended.signal }).catch(() => {});
    }
  };
  const running = run();
  return {
    get failure() {
      return failure;
    },
    get checkedAtMs() {
      return checkedAtMs;
    },
    [Symbol.asyncDispose]: async () => {
      ended.abort();
      await running;
    },
  };
}

/** Returns the pause after a run. */
export function pauseAfter(tookMs: number, hasFailed: boolean): number {
  const restMs = Math.max(pauseMs, pauseFactor * tookMs);
  return hasFailed ? Math.min(restMs, maxFailedPauseMs) : restMs;
}
