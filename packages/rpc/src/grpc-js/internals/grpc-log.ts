import { setLogger } from '@grpc/grpc-js';
import type { Logger } from 'pino';
import { withoutValues } from './error-texts.ts';

/**
 * Sends the messages of grpc-js to the log instead of the console, without the values in them. Its logger is one for the
 * process.
 */
export function logGrpc(log: Logger): void {
  const shown = (message: unknown) =>
    `grpc-js: ${withoutValues(String(message)) ?? 'a message that is withheld'}`;
  const debug = (message: unknown) => log.debug(shown(message));
  setLogger({ error: (message: unknown) => log.warn(shown(message)), info: debug, debug });
}

/** Until the next `logGrpc` grpc-js says nothing: for a failure that it both logs and reports. */
export function hushGrpc(): void {
  const nothing = () => {};
  setLogger({ error: nothing, info: nothing, debug: nothing });
}
