import { setTimeout as sleep } from 'node:timers/promises';

const everyMs = 1000;

/**
 * Asks once a second whether what the service stands on answers, and says so. Resolves after the first answer.
 *
 * @param check Rejects while the service cannot work; it must bound its own time.
 */
export async function watchReadiness(
  check: () => Promise<unknown>,
  setReady: (ready: boolean) => void,
): Promise<{ stop(): void }> {
  const stopped = new AbortController();
  const ask = async () => {
    const ready = await check().then(
      () => true,
      () => false,
    );
    if (!stopped.signal.aborted) setReady(ready);
  };
  const keepAsking = async () => {
    for (;;) {
      await sleep(everyMs, undefined, { signal: stopped.signal });
      await ask();
    }
  };
  await ask();
  // It only ever ends by being stopped.
  keepAsking().catch(() => {});
  return { stop: () => stopped.abort() };
}
