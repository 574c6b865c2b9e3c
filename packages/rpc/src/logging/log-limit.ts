import type { Logger } from 'pino';
import { getOrInsert } from '../node-24/get-or-insert.ts';

/** Bytes left in this second for one class of lines. */
export interface Allowance {
  leftBytes: number;
}

export interface LogLimit {
  /** Returns the allowance from which the caller subtracts the line's size; undefined if the line is suppressed. */
  allowanceFor(args: readonly unknown[], level: number): Allowance | undefined;
  /** Sets the logger that reports the numbers of suppressed lines. */
  setLogger(log: Logger): void;
}

type Level = 'info' | 'warn' | 'error' | 'fatal';

/** Lines that differ only in numbers and ids. */
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
/** Number of lines of a kind that are written per second. */
const linesPerSecond = 10;
/** Maximum number of kinds counted separately in a second. Further kinds share a count: callers can invent methods. */
const maxKinds = 100;
const maxNameLength = 100;
const other = '_OTHER';
const summary = 'lines suppressed';
const [warn, error, fatal] = [40, 50, 60];

/**
 * Creates a limit of the lines and bytes that are logged per second.
 *
 * - Warnings, errors, and calls with another code than OK: ten lines per kind, which is a message, method and code.
 *   256 KiB for warnings and errors, and another 256 KiB for calls, so that callers cannot displace the former.
 * - All other lines: 4 MiB, which is about 14,000 calls that end OK.
 *
 * The last line within a limit may exceed it. At the end of the second a line `lines suppressed` reports the number of
 * suppressed lines, except in the last second of the process.
 *
 * @param afterWindow Calls its argument after a second.
 */
export function createLogLimit(
  afterWindow: (close: () => void) => void = (close) => setTimeout(close, windowMs).unref(),
): LogLimit {
  const faults = lineClass(256 * 1024);
  const failedCalls = lineClass(256 * 1024);
  const otherLines = lineClass(4 * 1024 * 1024);
  const kinds = new Map<string, Kind>();
  let otherSuppressed = 0;
  let isOpen = false;
  let isReporting = false;
  let log: Logger | undefined;

  const close = () => {
    const storms = [...kinds.values()].filter((kind) => kind.suppressed > 0);
    const suppressedLines = otherSuppressed;
    kinds.clear();
    otherSuppressed = 0;
    isOpen = false;
    for (const each of [faults, failedCalls, otherLines]) each.leftBytes = each.limitBytes;
    isReporting = true;
    try {
      for (const { level, fields, suppressed } of storms) log?.[level]({ ...fields, suppressed }, summary);
      if (suppressedLines > 0)
        log?.warn({ of: 'calls that ended OK and other lines', suppressed: suppressedLines }, summary);
    } finally {
      isReporting = false;
    }
  };
  const kindOf = (args: readonly unknown[], level: number, { method, code }: CallFields): Kind => {
    const of = subjectOf(args);
    const key = `${level} ${of} ${method} ${code}`;
    const isNew = !kinds.has(key);
    if (isNew && kinds.size >= maxKinds) return getOrInsert(kinds, `${level}`, () => newKind(level, other));
    return getOrInsert(kinds, key, () => newKind(level, of, method, code));
  };
  return {
    allowanceFor(args, level) {
      if (isReporting) return otherLines;
      if (!isOpen) {
        isOpen = true;
        afterWindow(close);
      }
      const call = callFieldsOf(args[0]);
      if (level < warn && (call.code === undefined || call.code === 'OK')) {
        if (otherLines.leftBytes > 0) return otherLines;
        otherSuppressed++;
        return undefined;
      }
      const kind = kindOf(args, level, call);
      const allowance = level < warn ? failedCalls : faults;
      if (kind.written < linesPerSecond && kind.suppressed === 0 && allowance.leftBytes > 0) {
        kind.written++;
        return allowance;
      }
      kind.suppressed++;
      return undefined;
    },
    setLogger: (to) => {
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

/** Returns the subject of a line: its message without numbers and ids, or the name of its error. */
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
