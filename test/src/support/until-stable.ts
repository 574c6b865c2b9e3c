import { setTimeout as sleep } from 'node:timers/promises';

/** Time without a change after which a value counts as stable. */
const stableMs = 500;

/** Waits until a value no longer changes, and returns it. */
export async function untilStable(read: () => number): Promise<number> {
  for (let before = Number.NaN; ; ) {
    const now = read();
    if (now === before) return now;
    before = now;
    await sleep(stableMs);
  }
}
