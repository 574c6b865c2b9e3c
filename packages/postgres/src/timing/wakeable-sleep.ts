/** A sleep that one sleeper waits in, and that can be ended early. */
export interface WakeableSleep {
  /** Ends the current sleep or, when there is none, the next one. */
  wake(): void;
  /** Resolves after `timeoutMs`, or when `wake` is called, or at once when it was called since the last sleep. */
  sleep(timeoutMs: number): Promise<void>;
}

export function createWakeableSleep(): WakeableSleep {
  let isWoken = false;
  let endSleep: (() => void) | undefined;
  return {
    wake: () => {
      isWoken = true;
      endSleep?.();
    },
    sleep: async (timeoutMs) => {
      if (!isWoken)
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, timeoutMs);
          endSleep = () => {
            clearTimeout(timer);
            resolve();
          };
        });
      endSleep = undefined;
      isWoken = false;
    },
  };
}
