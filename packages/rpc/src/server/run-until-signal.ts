import { setTimeout as sleep } from 'node:timers/promises';
import { flushLog } from '../logging/log-destination.ts';
import { boundedText, boundedValue } from '../logging/log-value.ts';
import { withoutSecrets } from '../logging/redaction.ts';
import { shutdownTelemetry } from '../telemetry/telemetry.ts';

interface RunningApp {
  /** How long `close` may take; then the process exits 1 without it. */
  readonly closeTimeoutMs: number;
  close(): Promise<void>;
}

const signals = ['SIGTERM', 'SIGINT'] as const;
/** How long the last lines of the log may take, and then the threads that read files or look up names. */
const lastWordsTimeoutMs = 1000;
const threadPollMs = 20;
const maxErrorBytes = 8 * 1024;

/**
 * Runs an app until SIGTERM or SIGINT, then closes it and exits 0. Every wait on the way out has a limit: the app's own,
 * 3 s for telemetry, 1 s for the log, 1 s for threads. A second signal ends the process at once, with 1; the
 * first one does, with 0, while the app starts. An app that cannot start is reported in one line, with exit code 1. After an uncaught error the
 * app is closed, and the process exits 1.
 */
export async function runUntilSignal(start: () => Promise<RunningApp>): Promise<void> {
  let app: RunningApp | undefined;
  let isClosing = false;
  const close = async (exitCode: number) => {
    if (isClosing) endAtOnce(1);
    isClosing = true;
    // While it starts, no call is served yet, and a migration that is cut off leaves nothing.
    const failure = app && (await closeInTime(app));
    if (failure !== undefined) say(`could not close: ${textOf(failure)}`);
    if (app) await shutdownTelemetry();
    await leave(failure === undefined ? exitCode : 1);
  };
  // The reader of stderr can go away. Without a listener that is an uncaught error, whose report is the next one.
  process.stderr.on('error', () => {});
  // Before the start: the first process of a container gets no signal that it does not listen for.
  for (const signal of signals) process.on(signal, () => close(0));
  const onUncaught = (error: unknown) => {
    say(`uncaught: ${textOf(error)}`);
    close(1);
  };
  process.on('uncaughtException', onUncaught);
  process.on('unhandledRejection', onUncaught);
  app = await start().catch(async (error: unknown) => {
    say(textOf(error, 'message'));
    return await leave(1);
  });
}

/** Resolves with the reason when the app has not closed. */
async function closeInTime(app: RunningApp): Promise<unknown> {
  const late = Promise.withResolvers<never>();
  const error = new Error(`it takes more than ${app.closeTimeoutMs} ms`);
  const timer = setTimeout(late.reject, app.closeTimeoutMs, error);
  const failure = await Promise.race([app.close(), late.promise]).then(
    () => undefined,
    (reason: unknown) => reason ?? new Error('no reason given'),
  );
  clearTimeout(timer);
  return failure;
}

/** Exits when the log is written and threads are idle, or when the time for that is over. */
async function leave(exitCode: number): Promise<never> {
  await flushLog(lastWordsTimeoutMs);
  const endMs = performance.now() + lastWordsTimeoutMs;
  while (isThreadBusy() && performance.now() < endMs) await sleep(threadPollMs);
  if (isThreadBusy()) endAtOnce(exitCode);
  // From here on a signal ends the process by itself: a thread that is not seen can be stuck, too.
  for (const signal of signals) process.removeAllListeners(signal);
  process.exit(exitCode);
}

/**
 * Ends the process without the hooks of its exit. `process.exit` also waits for threads, without a limit, and one can be
 * stuck in a write to a terminal that is stopped, or in the files of a server that is away. A process that replaces its
 * program has no threads left.
 */
function endAtOnce(exitCode: number): never {
  try {
    process.execve?.(process.execPath, [process.execPath, '--eval', `process.exit(${exitCode})`], {});
  } catch {
    // Not permitted.
  }
  process.kill(process.pid, 'SIGKILL');
  return process.abort();
}

function isThreadBusy(): boolean {
  return process.getActiveResourcesInfo().some((each) => /^(FSReq|GetAddrInfoReq|GetNameInfoReq)/.test(each));
}

function textOf(error: unknown, part: 'message' | 'stack' = 'stack'): string {
  const space = { leftBytes: maxErrorBytes, isCut: false };
  try {
    const text =
      error instanceof Error ? String(error[part] ?? error.message) : String(boundedValue(error, space));
    return JSON.parse(withoutSecrets(JSON.stringify(boundedText(text, space, maxErrorBytes))));
  } catch {
    return 'an error that cannot be printed';
  }
}

function say(text: string): void {
  try {
    process.stderr.write(`${text}\n`);
  } catch {
    // A file on a full disk.
  }
}
