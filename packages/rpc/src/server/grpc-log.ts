import { format } from 'node:util';
import { setLogger } from '@grpc/grpc-js';
import type { Logger } from 'pino';

/** What grpc-js has to say of itself goes to the log instead of the console. Its logger is one for the process. */
export function logGrpc(log: Logger): void {
  const debug = (...words: unknown[]) => log.debug(`grpc-js: ${format(...words)}`);
  setLogger({ error: (...words) => log.warn(`grpc-js: ${format(...words)}`), info: debug, debug });
}

/** Until the next `logGrpc` grpc-js says nothing: for a failure that it both logs and reports. */
export function hushGrpc(): void {
  const nothing = () => {};
  setLogger({ error: nothing, info: nothing, debug: nothing });
}
