import { type Logger, pino } from 'pino';
import { createLogExport } from '../telemetry/log-export.ts';
import { transformBindings } from './internals/pino-internals.ts';
import { type LogDestination, prettyDestination, stdoutDestination } from './log-destination.ts';
import { createLogLimit, type LogLimit } from './log-limit.ts';
import { formatLine } from './log-line.ts';
import { boundedFields } from './log-value.ts';

export type { Logger } from 'pino';

/** Limit in bytes of the fields that a child logger adds to every line. */
const maxBindingsBytes = 1024;
/** pino's level from which lines are written without delay. The log's limit bounds how many there are. */
const urgentLevel = 40;

export interface LogOptions {
  /** The service's name, which is on every line. */
  readonly service: string;
  readonly level: string;
  /** Whether to print readable lines when stdout is a terminal. Everywhere else lines are JSON. */
  readonly pretty?: boolean;
}

/**
 * Creates a logger of JSON lines to stdout or another destination. Lines within a span contain its ids. Logging never
 * throws. Lines are limited in size and free of known secrets (`formatLine`). Lines and bytes per second are limited
 * (`createLogLimit`). The same lines are exported if OpenTelemetry's SDK has been started with an exporter of logs.
 *
 * pino provides levels and child loggers. It does not format the lines, because it throws on a circular cause and has no
 * limits.
 */
export function createLogger(
  { service, level, pretty = false }: LogOptions,
  to: LogDestination = (pretty && prettyDestination()) || stdoutDestination(),
  limit: LogLimit = createLogLimit(),
): Logger {
  const exportLine = createLogExport();
  const log = pino(
    {
      level,
      base: { service, pid: process.pid },
      hooks: {
        logMethod(args, _method, levelNumber) {
          const allowance = limit.allowanceFor(args, levelNumber);
          if (!allowance) return;
          const { text, sizeBytes } = formatLine(this, args, levelNumber);
          allowance.leftBytes -= sizeBytes;
          to.write(text, sizeBytes, levelNumber >= urgentLevel);
          exportLine?.(text, levelNumber);
        },
      },
    },
    // The hook writes the lines.
    { write: () => {} },
  );
  transformBindings(log, boundedBindings);
  limit.setLogger(log);
  return log;
}

function boundedBindings(bindings: unknown): object {
  if (typeof bindings !== 'object' || bindings === null) return {};
  // pino calls `hasOwnProperty` of the bindings.
  const { hasOwnProperty: _, ...bounded } = boundedFields(bindings, {
    leftBytes: maxBindingsBytes,
    isTruncated: false,
  });
  return bounded;
}
