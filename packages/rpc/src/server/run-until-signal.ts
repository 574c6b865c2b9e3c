import { shutdownTelemetry } from '../telemetry.ts';

/**
 * Runs an app until SIGTERM or SIGINT, then closes it and exits 0. A second signal does not wait, nor does one that
 * comes while the app starts. What cannot start says why in one line and exits 1; an error that nobody caught is told,
 * and the app closed, before the exit with 1.
 */
export async function runUntilSignal(start: () => Promise<{ close(): Promise<void> }>): Promise<void> {
  let app: { close(): Promise<void> } | undefined;
  let closing = false;
  const close = async (exitCode: number) => {
    if (closing) process.exit(1);
    // Nobody has been served yet, and a migration that is cut off leaves nothing.
    if (!app) process.exit(exitCode);
    closing = true;
    await app.close().catch((error: unknown) => {
      say(`could not close: ${error instanceof Error ? error.stack : error}`);
      process.exit(1);
    });
    await shutdownTelemetry();
    process.exit(exitCode);
  };
  // Before the start: the first process of a container gets no signal that it does not listen for.
  process.on('SIGTERM', () => close(0));
  process.on('SIGINT', () => close(0));
  app = await start().catch((error: unknown) => {
    say(error instanceof Error ? error.message : String(error));
    process.exit(1);
  });
  const onUncaught = (error: unknown) => {
    say(`uncaught: ${error instanceof Error ? error.stack : error}`);
    close(1);
  };
  process.on('uncaughtException', onUncaught);
  process.on('unhandledRejection', onUncaught);
}

function say(text: string): void {
  process.stderr.write(`${text}\n`);
}
