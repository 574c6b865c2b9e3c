import type { Logger } from 'pino';

/** The bytes that lines of one class may still take in this second. */
export interface Allowance {
  leftBytes: number;
}

export interface LogLimit {
  /** Returns the allowance that the line is charged to once it is made; undefined when it must not be written. */
  allowanceFor(args: readonly unknown[], level: number): Allowance | undefined;
  /** Sets the logger that the numbers of suppressed lines are written to. */
  tell(log: Logger): void;
}

type Level = 'info' | 'warn' | 'error' | 'fatal';

/** Lines that are alike in all but their numbers and ids. */
interface Kind {
  readonly level: Level;
  readonly fields: Readonly<Record<'of' | 'method' | 'code', string | undefined>>;
  written: number;
  suppressed: number;
}

interface LineClass extends Allowance {
  readonly limitBytes: number;
}

const windowMs = 1000;
/** Lines of a kind that are written in a second. */
const linesPerSecond = 10;
/** Maximum number of kinds counted separately in a second. Later ones share a count: callers can invent methods. */
const maxKinds = 100;
const maxNameLength = 100;
const other = '_OTHER';
const summary = 'lines suppressed';
const [warn, error, fatal] = [40, 50, 60];

/**
 * Limits what a storm can write, whatever is sent. Of warnings, errors, and calls that ended with another code than OK,
 * ten lines a second are written of a kind: of one message, method and code. In bytes a second, the service's own
 * warnings and errors have 256 KiB, refused calls 256 KiB, so that callers cannot displace the former, and all other
 * lines 4 MiB: some 14,000 calls that end OK. A line may exceed what is left by its own length. When the second is
 * over, `lines suppressed` says how many more lines there were.
 *
 * @param afterWindow Calls back when a second has passed. What is suppressed in the last second of a process is not
 * reported.
 */
export function createLogLimit(
  afterWindow: (close: () => void) => void = (close) => setTimeout(close, windowMs).unref(),
): LogLimit {
  const faults = lineClass(256 * 1024);
  const refusals = lineClass(256 * 1024);
  const everyday = lineClass(4 * 1024 * 1024);
  const kinds = new Map<string, Kind>();
  let everydaySuppressed = 0;
  let isOpen = false;
  let isReporting = false;
  let log: Logger | undefined;

  const close = () => {
    const storms = [...kinds.values()].filter((kind) => kind.suppressed > 0);
    const notWritten = everydaySuppressed;
    kinds.clear();
    everydaySuppressed = 0;
    isOpen = false;
    for (const each of [faults, refusals, everyday]) each.leftBytes = each.limitBytes;
    isReporting = true;
    try {
      for (const { level, fields, suppressed } of storms) log?.[level]({ ...fields, suppressed }, summary);
      if (notWritten > 0)
        log?.warn({ of: 'calls that ended OK and other lines', suppressed: notWritten }, summary);
    } finally {
      isReporting = false;
    }
  };
  const kindOf = (args: readonly unknown[], level: number, { method, code }: CallFields): Kind => {
    const of = subjectOf(args);
    const key = `${level} ${of} ${method} ${code}`;
    const isNew = !kinds.has(key);
    if (isNew && kinds.size >= maxKinds)
      return kinds.getOrInsertComputed(`${level}`, () => newKind(level, other));
    return kinds.getOrInsertComputed(key, () => newKind(level, of, method, code));
  };
  return {
    allowanceFor(args, level) {
      if (isReporting) return everyday;
      if (!isOpen) {
        isOpen = true;
        afterWindow(close);
      }
      const call = callFieldsOf(args[0]);
      if (level < warn && (call.code === undefined || call.code === 'OK')) {
        if (everyday.leftBytes > 0) return everyday;
        everydaySuppressed++;
        return undefined;
      }
      const kind = kindOf(args, level, call);
      const allowance = level < warn ? refusals : faults;
      if (kind.written < linesPerSecond && kind.suppressed === 0 && allowance.leftBytes > 0) {
        kind.written++;
        return allowance;
      }
      kind.suppressed++;
      return undefined;
    },
    tell: (to) => {
      log = to;
    },
  };
}

interface CallFields {
  readonly method: string | undefined;
  readonly code: string | undefined;
}

function callFieldsOf(fields: unknown): CallFields {
  if (typeof fields !== 'object' || fields === null) return noCall;
  try {
    const { method, code } = fields as Record<string, unknown>;
    return method === undefined && code === undefined
      ? noCall
      : { method: nameOf(method), code: nameOf(code) };
  } catch {
    return noCall;
  }
}

const noCall: CallFields = { method: undefined, code: undefined };

function nameOf(value: unknown): string | undefined {
  if (value === undefined) return undefined;
  return typeof value === 'string' ? value.slice(0, maxNameLength) : other;
}

/** What a line is about: its message without numbers and ids, or its error's name. */
function subjectOf([first, second]: readonly unknown[]): string {
  const message = typeof first === 'string' ? first : second;
  if (typeof message === 'string')
    return message.slice(0, maxNameLength).replaceAll(/[\da-f-]*\d[\da-f-]*/gi, '#');
  try {
    const thrown = first instanceof Error ? first : (first as { err?: unknown } | undefined)?.err;
    return thrown instanceof Error ? (nameOf(thrown.name) ?? other) : other;
  } catch {
    return other;
  }
}

function newKind(level: number, of: string, method?: string, code?: string): Kind {
  const name: Level = level >= fatal ? 'fatal' : level >= error ? 'error' : level >= warn ? 'warn' : 'info';
  return { level: name, fields: { of, method, code }, written: 0, suppressed: 0 };
}

function lineClass(limitBytes: number): LineClass {
  return { limitBytes, leftBytes: limitBytes };
}
