import { type DestinationStream, type Logger, pino } from 'pino';
import { prettyLines, stdoutLines } from './log-destination.ts';
import { createLogLimit, type LogLimit } from './log-limit.ts';
import { makeLine } from './log-line.ts';
import { boundedFields } from './log-value.ts';

export type { Logger } from 'pino';

/** Space, in bytes, for the fields that a child logger adds to every line. */
const maxBindingsBytes = 1024;

export interface LogOptions {
  /** The service's name, on every line. */
  readonly service: string;
  readonly level: string;
  /** For people to read, where stdout is a terminal; JSON everywhere else. */
  readonly pretty?: boolean;
}

/**
 * Creates the process's logger: JSON lines on stdout, or to the destination. Lines that are written within a span name it
 * and its trace. Logging never throws. Lines are bounded, and free of known secrets: see `makeLine`. So is the number of
 * lines and bytes a second: see `createLogLimit`.
 *
 * pino keeps levels and child loggers. Its own lines are not used: it throws on a circular cause, and has no bounds.
 */
export function createLogger(
  { service, level, pretty = false }: LogOptions,
  to: DestinationStream = (pretty && prettyLines()) || stdoutLines(),
  limit: LogLimit = createLogLimit(),
): Logger {
  const log = pino(
    {
      level,
      base: { service, pid: process.pid },
      hooks: {
        logMethod(args, _method, levelNumber) {
          const allowance = limit.allowanceFor(args, levelNumber);
          if (!allowance) return;
          const line = makeLine(this, args, levelNumber);
          allowance.leftBytes -= Buffer.byteLength(line);
          to.write(line);
        },
      },
    },
    to,
  );
  const { child, setBindings } = log;
  // Children inherit both. pino writes what it is given, in full, and throws on some of it.
  log.child = function (this: Logger, bindings: object, options?: never) {
    return child.call(this, boundedBindings(bindings), options);
  } as typeof log.child;
  log.setBindings = function (this: Logger, bindings: object) {
    setBindings.call(this, boundedBindings(bindings));
  };
  limit.tell(log);
  return log;
}

function boundedBindings(bindings: unknown): object {
  if (typeof bindings !== 'object' || bindings === null) return {};
  // pino calls their `hasOwnProperty`.
  const { hasOwnProperty: _, ...bounded } = boundedFields(bindings, {
    leftBytes: maxBindingsBytes,
    isCut: false,
  });
  return bounded;
}
