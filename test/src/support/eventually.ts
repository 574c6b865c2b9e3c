import { vi } from 'vitest';

/** Looks again and again until the assertion holds; fails with it when it does not come to hold in time. */
export async function eventually(assertion: () => Promise<void>): Promise<void> {
  await vi.waitFor(assertion, { timeout: 15_000, interval: 20 });
}
