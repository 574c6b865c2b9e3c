import { createRequire } from 'node:module';
import { inspect } from 'node:util';
import { isSpanContextValid, trace } from '@opentelemetry/api';
import { type DestinationStream, destination, type Logger, pino } from 'pino';
import { createLogLimit, type LogLimit } from './log-limit.ts';
import { makeFlatLinesQuickly } from './log-line.ts';
import { secretSerializers, withoutSecrets } from './log-secrets.ts';

export type { Logger } from 'pino';

/** What a reader that has stopped may keep waiting; what comes after that is dropped. */
const maxGatheredBytes = 4 * 1024 * 1024;

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
  to?: DestinationStream,
  limit: LogLimit = createLogLimit(),
): Logger {
  const serializers = { err: errorFields, ...secretSerializers };
  const log = pino(
    {
      level,
      base: { service, pid: process.pid },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }), log: withoutSecrets },
      serializers,
      mixin: traceFields,
      hooks: { logMethod: limit.logMethod },
    },
    to ?? (pretty && process.stdout.isTTY ? prettyStdout() : undefined) ?? stdout(),
  );
  makeFlatLinesQuickly(log, serializers);
  limit.tell(log);
  return log;
}

function traceFields(): Record<string, string> {
  const span = trace.getActiveSpan()?.spanContext();
  return span && isSpanContextValid(span) ? { trace_id: span.traceId, span_id: span.spanId } : {};
}

/**
 * While one write is under way the lines of the calls after it gather, and go together: a write a line costs more than
 * the line. They are written out before the process exits; one that is killed loses those of its last moment.
 */
function stdout(): DestinationStream {
  return destination({ dest: 1, sync: false, maxLength: maxGatheredBytes });
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
