import { signal } from '@preact/signals';
import { expect, test, vi } from 'vitest';
import type { Session } from '../../api.ts';

const { live, clock, opened } = vi.hoisted(() => ({
  live: {} as Record<string, unknown>,
  clock: {} as Record<string, unknown>,
  opened: [] as number[],
}));
vi.mock('./live.ts', () => live);
vi.mock('./clock.ts', () => clock);
vi.mock('./console-api.ts', () => ({
  getJson: async (): Promise<Session> => {
    const expiresAtMs = Date.now() + 600_000 * (opened.length + 1);
    opened.push(expiresAtMs);
    return { services: [], customers: [], expiresAtMs };
  },
}));

test('a session is renewed by the clock, when the timer stood still with the machine', async () => {
  const now = signal(Date.now());
  Object.assign(live, { isConnected: signal(true), phase: signal('running') });
  Object.assign(clock, { now });
  const { session } = await import('./session.ts');
  await expect.poll(() => session.value).not.toBeNull();
  now.value += 500_000;
  expect(opened).toHaveLength(1);
  now.value += 100_000;
  expect(opened).toHaveLength(2);
  await expect.poll(() => session.value?.expiresAtMs).toBe(opened[1]);
  now.value += 1000;
  expect(opened).toHaveLength(2);
});
