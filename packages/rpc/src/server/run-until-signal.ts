import { setTimeout as sleep } from 'node:timers/promises';
import { flushLog, flushLogSync } from '../logging/log-destination.ts';
import { boundedText, boundedValue } from '../logging/log-value.ts';
import { withoutSecrets } from '../logging/redaction.ts';
import { shutdownTelemetry } from '../telemetry/telemetry.ts';

interface RunningApp {
  /** Time that `close` may take. After it the process exits with 1. */
  readonly closeTimeoutMs: number;
  close(): Promise<void>;
}

const signals = ['SIGTERM', 'SIGINT'] as const;
/** Time for the last log lines to be written, and then for threads that read files or look up names to finish. */
const exitTimeoutMs = 1000;
const threadPollMs = 20;
const maxErrorBytes = 8 * 1024;

/**
 * Runs an app until SIGTERM or SIGINT, then closes it and exits with 0. Every wait has a limit: `closeTimeoutMs` for the
 * app, 3 s for telemetry, 1 s for the log, 1 s for threads. While the app starts, a signal ends the process immediately
 * with 0. A second signal ends it immediately with 1. If the app cannot start, its error is printed in one line and the
 * process exits with 1. After an uncaught error the app is closed and the process exits with 1.
 */
export async function runUntilSignal(start: () => Promise<RunningApp>): Promise<void> {
  let app: RunningApp | undefined;
  let isClosing = false;
  const close = async (exitCode: number) => {
    if (isClosing) endImmediately(1);
    isClosing = true;
    // A starting app is not closed: it serves no calls, and an interrupted migration is rolled back.
    const failure = app && (await closeInTime(app));
    if (failure !== undefined) printError(`could not close: ${textOf(failure)}`);
    if (app) await shutdownTelemetry();
    await exit(failure === undefined ? exitCode : 1);
  };
  // Without a listener, a reader that closes stderr would cause an uncaught error, and its report the next one.
  process.stderr.on('error', () => {});
  // Before the start, because the kernel delivers to PID 1 only signals that it handles.
  for (const signal of signals) process.on(signal, () => close(0));
  const onUncaught = (error: unknown) => {
    printError(`uncaught: ${textOf(error)}`);
    close(1);
  };
  process.on('uncaughtException', onUncaught);
  process.on('unhandledRejection', onUncaught);
  app = await start().catch(async (error: unknown) => {
    printError(textOf(error, 'message'));
    return await exit(1);
  });
  // A platform or a person waits for the lines of the start.
  await flushLog(exitTimeoutMs);
}

/** Closes the app. Resolves with the error if that fails or takes too long, else with undefined. */
async function closeInTime(app: RunningApp): Promise<unknown> {
  const late = Promise.withResolvers<never>();
  const error = new Error(`closing takes more than ${app.closeTimeoutMs} ms`);
  const timer = setTimeout(late.reject, app.closeTimeoutMs, error);
  const failure = await Promise.race([app.close(), late.promise]).then(
    () => undefined,
    (reason: unknown) => reason ?? new Error('no reason given'),
  );
  clearTimeout(timer);
  return failure;
}

/** Exits when the log is written and threads are idle, or after a timeout for each. */
async function exit(exitCode: number): Promise<never> {
  await flushLog(exitTimeoutMs);
  const endMs = performance.now() + exitTimeoutMs;
  while (isThreadBusy() && performance.now() < endMs) await sleep(threadPollMs);
  if (isThreadBusy()) endImmediately(exitCode);
  // From here on a signal ends the process by itself, in case `process.exit` waits for a stuck thread.
  for (const signal of signals) process.removeAllListeners(signal);
  process.exit(exitCode);
}

/**
 * Ends the process without exit hooks. `process.exit` waits for threads without a limit, and a thread can be stuck in a
 * write to a stopped terminal or in a file of an unreachable server. Replacing the program (`execve`) ends all threads. Buffered
 * log lines are written before.
 */
function endImmediately(exitCode: number): never {
  flushLogSync();
  try {
    process.execve?.(process.execPath, [process.execPath, '--eval', `process.exit(${exitCode})`], {});
  } catch {
    // Not permitted in this process.
  }
  process.kill(process.pid, 'SIGKILL');
  return process.abort();
}

function isThreadBusy(): boolean {
  return process.getActiveResourcesInfo().some((each) => /^(FSReq|GetAddrInfoReq|GetNameInfoReq)/.test(each));
}

function textOf(error: unknown, part: 'message' | 'stack' = 'stack'): string {
  const budget = { leftBytes: maxErrorBytes, isTruncated: false };
  try {
    const text =
      error instanceof Error ? String(error[part] ?? error.message) : String(boundedValue(error, budget));
    return JSON.parse(withoutSecrets(JSON.stringify(boundedText(text, budget, maxErrorBytes))));
  } catch {
    return 'an error that cannot be printed';
  }
}

function printError(text: string): void {
  try {
    process.stderr.write(`${text}\n`);
  } catch {
    // For instance a file on a full disk.
  }
}
