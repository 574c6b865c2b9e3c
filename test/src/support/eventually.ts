import { vi } from 'vitest';

/** Retries the assertion every 20 ms until it passes. Throws its last error after 15 s. */
export async function eventually(assertion: () => Promise<void>): Promise<void> {
  await vi.waitFor(assertion, { timeout: 15_000, interval: 20 });
}
