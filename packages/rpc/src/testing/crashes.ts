/** Errors that would have ended the process. */
export interface Crashes extends Disposable {
  readonly reasons: readonly unknown[];
}

/** Records unhandled rejections and uncaught exceptions. vitest also fails on them, but does not name the test. */
export function recordCrashes(): Crashes {
  const reasons: unknown[] = [];
  const note = (reason: unknown) => reasons.push(reason);
  process.on('unhandledRejection', note);
  process.on('uncaughtExceptionMonitor', note);
  return {
    reasons,
    [Symbol.dispose]: () => {
      process.off('unhandledRejection', note);
      process.off('uncaughtExceptionMonitor', note);
    },
  };
}
