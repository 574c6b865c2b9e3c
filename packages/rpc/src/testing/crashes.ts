/** What would have ended the process since this was called. */
export interface Crashes extends Disposable {
  readonly reasons: readonly unknown[];
}

/** Notes unhandled rejections and uncaught exceptions. vitest fails the run on them too, but names no test. */
export function noteCrashes(): Crashes {
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
