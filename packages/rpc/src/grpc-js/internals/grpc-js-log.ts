import { setLogger } from '@grpc/grpc-js';
import type { Logger } from 'pino';
import { withoutValues } from './error-texts.ts';

/** Writes grpc-js's messages to the log instead of the console, without their values. Applies to the whole process. */
export function logGrpcJs(log: Logger): void {
  const textOf = (message: unknown) => `grpc-js: ${withoutValues(String(message)) ?? 'message withheld'}`;
  const debug = (message: unknown) => log.debug(textOf(message));
  setLogger({ error: (message: unknown) => log.warn(textOf(message)), info: debug, debug });
}

/** Drops grpc-js's messages until the next `logGrpcJs`, for a failure that grpc-js both logs and reports. */
export function silenceGrpcJs(): void {
  const nothing = () => {};
  setLogger({ error: nothing, info: nothing, debug: nothing });
}
