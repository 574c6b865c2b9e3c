/** npm forwards a Ctrl-C that the terminal has sent to the process as well. */
const sameInterruptMs = 500;

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/**
 * Calls `onFirst` on Ctrl-C, on SIGTERM, or when the terminal is closed, and `onAgain` on each later signal. Signals
 * within half a second are one.
 */
export function onInterrupt(onFirst: () => void, onAgain: () => void): void {
  let firstMs: number | undefined;
  for (const signal of signals)
    process.on(signal, () => {
      if (firstMs === undefined) {
        firstMs = performance.now();
        onFirst();
      } else if (performance.now() - firstMs > sameInterruptMs) onAgain();
    });
}
