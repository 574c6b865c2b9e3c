import type { LogFn, Logger } from 'pino';

interface CallFields {
  readonly method?: unknown;
  readonly code?: unknown;
}

/** Lines that are alike in all but their numbers and ids. */
interface Kind {
  readonly level: 'info' | 'warn' | 'error' | 'fatal';
  readonly fields: CallFields & { readonly of: string };
  written: number;
  suppressed: number;
}

export interface LogLimit {
  /** pino's hook of that name. */
  readonly logMethod: (this: Logger, args: Parameters<LogFn>, method: LogFn, level: number) => void;
  /** Where what was suppressed is told. */
  tell(log: Logger): void;
}

/** Lines of a kind that are written in a second. */
const linesPerSecond = 10;
const windowMs = 1000;
const summary = 'lines suppressed';
const warn = 40;

/**
 * Bounds what a storm of errors can write. Of lines that tell of a failure, warnings and errors and those of calls that
 * ended with another code than OK, ten of a kind are written in a second: of one message, method and code. Then one line
 * says how many more there were, at the same level. Calls that end well have their line always.
 *
 * @param afterWindow Calls back when a second has passed. What is suppressed in the last one before the process exits is
 * not told.
 */
export function createLogLimit(
  afterWindow: (close: () => void) => void = (close) => setTimeout(close, windowMs).unref(),
): LogLimit {
  const kinds = new Map<string, Kind>();
  let log: Logger | undefined;

  const close = () => {
    const suppressed = [...kinds.values()].filter((kind) => kind.suppressed > 0);
    kinds.clear();
    for (const kind of suppressed)
      log?.[kind.level]({ ...kind.fields, suppressed: kind.suppressed }, summary);
  };
  const mayWrite = (args: readonly unknown[], level: number): boolean => {
    const [first, second] = args;
    const { method, code } = (typeof first === 'object' && first !== null ? first : {}) as CallFields;
    if (level < warn && (code === undefined || code === 'OK')) return true;
    const of = first instanceof Error ? first.name : String(typeof first === 'string' ? first : second);
    if (of === summary) return true;
    if (kinds.size === 0) afterWindow(close);
    const kind = kinds.getOrInsertComputed(`${level} ${of} ${method} ${code}`, () => ({
      level: level >= 60 ? 'fatal' : level >= 50 ? 'error' : level >= warn ? 'warn' : 'info',
      fields: { of, method, code },
      written: 0,
      suppressed: 0,
    }));
    if (kind.written === linesPerSecond) kind.suppressed++;
    else kind.written++;
    return kind.suppressed === 0;
  };
  return {
    logMethod(args, method, level) {
      if (mayWrite(args, level)) method.apply(this, args);
    },
    tell: (to) => {
      log = to;
    },
  };
}
