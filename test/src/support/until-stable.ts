import { setTimeout as sleep } from 'node:timers/promises';

/** How long a figure must stay as it is to be taken for still. */
const stillMs = 500;

/** Waits until a figure no longer changes, and gives it. */
export async function untilStable(read: () => number): Promise<number> {
  for (let before = Number.NaN; ; ) {
    const now = read();
    if (now === before) return now;
    before = now;
    await sleep(stillMs);
  }
}
