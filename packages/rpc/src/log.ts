import { inspect } from 'node:util';
import { type DestinationStream, type Logger, pino } from 'pino';

export type { Logger } from 'pino';

export interface LogOptions {
  /** The service's name, on every line. */
  readonly service: string;
  readonly level: string;
}

/** The process's logger: JSON lines on stdout, or to the destination. Nothing that looks like a credential is written. */
export function createLogger({ service, level }: LogOptions, destination?: DestinationStream): Logger {
  return pino(
    {
      level,
      base: { service, pid: process.pid },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { err: errorFields },
      redact: { paths: ['authorization', '*.authorization', 'password', '*.password', 'token', '*.token'] },
    },
    destination,
  );
}

/** What is written of an error: never its other properties, where drivers keep connections and their secrets. */
function errorFields(error: unknown): unknown {
  // What else can be thrown is named, not shown: its properties could be anything, and String() could throw itself.
  if (!(error instanceof Error)) return { type: typeof error, message: inspect(error, { depth: -1 }) };
  const { name: type, message, stack, cause } = error;
  const code = 'code' in error ? error.code : undefined;
  return { type, message, code, stack, ...(cause !== undefined && { cause: errorFields(cause) }) };
}
