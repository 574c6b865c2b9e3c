import { createRequire } from 'node:module';
import { inspect } from 'node:util';
import { isSpanContextValid, trace } from '@opentelemetry/api';
import { type DestinationStream, type Logger, pino } from 'pino';
import { createLogLimit, type LogLimit } from './log-limit.ts';

export type { Logger } from 'pino';

export interface LogOptions {
  /** The service's name, on every line. */
  readonly service: string;
  readonly level: string;
  /** For people to read, where stdout is a terminal; JSON everywhere else. */
  readonly pretty?: boolean;
}

/**
 * The process's logger: JSON lines on stdout, or to the destination. Lines that are written within a span name it and
 * its trace. Nothing that looks like a credential is written, and a storm of failures is cut short: see `createLogLimit`.
 */
export function createLogger(
  { service, level, pretty = false }: LogOptions,
  destination?: DestinationStream,
  limit: LogLimit = createLogLimit(),
): Logger {
  const log = pino(
    {
      level,
      base: { service, pid: process.pid },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { err: errorFields },
      redact: { paths: ['authorization', '*.authorization', 'password', '*.password', 'token', '*.token'] },
      mixin: traceFields,
      hooks: { logMethod: limit.logMethod },
    },
    destination ?? (pretty && process.stdout.isTTY ? prettyStdout() : undefined),
  );
  limit.tell(log);
  return log;
}

function traceFields(): Record<string, string> {
  const span = trace.getActiveSpan()?.spanContext();
  return span && isSpanContextValid(span) ? { trace_id: span.traceId, span_id: span.spanId } : {};
}

/** Undefined, for JSON, where development dependencies are not installed. */
function prettyStdout(): DestinationStream | undefined {
  const require = createRequire(import.meta.url);
  try {
    const { prettyFactory } = require('pino-pretty') as typeof import('pino-pretty');
    const format = prettyFactory({ colorize: true, singleLine: true, ignore: 'pid,service' });
    return { write: (line) => process.stdout.write(format(line)) };
  } catch {
    return undefined;
  }
}

/** What is written of an error: never its other properties, where drivers keep connections and their secrets. */
function errorFields(error: unknown): unknown {
  // What else can be thrown is named, not shown: its properties could be anything, and String() could throw itself.
  if (!(error instanceof Error)) return { type: typeof error, message: inspect(error, { depth: -1 }) };
  const { name: type, message, stack, cause } = error;
  const code = 'code' in error ? error.code : undefined;
  return { type, message, code, stack, ...(cause !== undefined && { cause: errorFields(cause) }) };
}
