import { setTimeout as sleep } from 'node:timers/promises';

const intervalMs = 1000;

/**
 * Runs `check` once a second and passes on whether it succeeded. Resolves after the first check.
 *
 * @param check Rejects while the service cannot serve calls. It must have a timeout of its own.
 */
export async function watchReadiness(
  check: () => Promise<unknown>,
  setReady: (ready: boolean) => void,
): Promise<{ stop(): void }> {
  const stopped = new AbortController();
  const run = async () => {
    const ready = await check().then(
      () => true,
      () => false,
    );
    if (!stopped.signal.aborted) setReady(ready);
  };
  const repeat = async () => {
    for (;;) {
      await sleep(intervalMs, undefined, { signal: stopped.signal });
      await run();
    }
  };
  await run();
  // Rejects only when it is stopped.
  repeat().catch(() => {});
  return { stop: () => stopped.abort() };
}
