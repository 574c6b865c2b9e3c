import { format } from 'node:util';
import { isSpanContextValid, trace } from '@opentelemetry/api';

import { type Logger, pino } from 'pino';

import { bindingsJson } from './internals/pino-internals.ts';
import { boundedFields, boundedText, boundedValue, type SizeBudget } from './log-value.ts';
import { isSecretName, withoutSecrets } from './redaction.ts';

type Fields = Readonly<Record<string, unknown>>;

/** Maximum size of a line in bytes, line break included. */
export const maxLineBytes = 16 * 1024;
const maxFieldsBytes = 12 * 1024;
const maxLogMessageBytes = 2 * 1024;
/** Number of characters up to which fields are within the limits, whatever the characters are. */
const maxQuickLength = 512;
/** Maximum number of values for the placeholders of a message, as in `log.info('%s and %s', one, other)`. */
const maxParameters = 16;

/** Characters that JSON does not escape and terminals act on: C1 controls, line separators, changes of direction. */
const terminalControls = /[\x7f-\x9f\u2028-\u202e\u2066-\u2069]/g;

/**
 * Returns the JSON line for the arguments of a logger's method. Never throws. A line takes up to 16 KiB;
 * `"truncated": true` marks one from which something was left out. Secrets, recognised by name or shape, are replaced by
 * `[Redacted]`.
 *
 * The fields of a call are few, flat and short, and are serialized directly. Other fields are copied within limits first.
 */
export function formatLine(log: Logger, args: readonly unknown[], level: number): string {
  const head = `{"level":"${pino.levels.labels[level]}","time":"${isoTime(Date.now())}"`;
  try {
    const budget: SizeBudget = { leftBytes: maxFieldsBytes, isTruncated: false };
    const body = bodyOf(args, budget);
    const line = `${head}${bindingsJson(log)}${spanMembers()}${body}${budget.isTruncated ? ',"truncated":true' : ''}}`;
    const shown = printable(withoutSecrets(line));
    if (Buffer.byteLength(shown) < maxLineBytes) return `${shown}\n`;
    return `${head},"truncated":true,"msg":"log line too long"}\n`;
  } catch {
    return `${head},"msg":"log line could not be formatted"}\n`;
  }
}

/** Returns the JSON members of the fields and the message, each with a leading comma. */
function bodyOf(args: readonly unknown[], budget: SizeBudget): string {
  const [first, second] = args;
  const hasFields = typeof first === 'object' && first !== null;
  const fields = hasFields ? membersOf(first, budget) : '';
  const message = hasFields || first === undefined || first === null ? second : first;
  const parameters = args.length > 2 || message === first ? args.slice(message === first ? 1 : 2) : none;
  const text = message === undefined && hasFields ? messageOfError(first) : message;
  if (text === undefined) return fields;
  return `${fields},"msg":${JSON.stringify(messageOf(text, parameters, budget))}`;
}

const none: readonly unknown[] = [];

function membersOf(fields: object, budget: SizeBudget): string {
  const json = JSON.stringify(isQuickSafely(fields) ? fields : boundedFields(fields, budget));
  return json === '{}' ? '' : `,${json.slice(1, -1)}`;
}

/** Like `isQuick`, for fields with a getter or a proxy that throws. */
function isQuickSafely(fields: object): fields is Fields {
  try {
    return isQuick(fields);
  } catch {
    return false;
  }
}

/** Returns whether the fields are plain, flat and short, and none of them is a secret. */
function isQuick(fields: object): fields is Fields {
  if (Object.getPrototypeOf(fields) !== Object.prototype) return false;
  let length = 0;
  for (const name in fields) {
    const value = (fields as Fields)[name];
    if (typeof value === 'string') length += value.length;
    else if (typeof value !== 'number' && value !== undefined && typeof value !== 'boolean') return false;
    length += name.length;
    if (length > maxQuickLength || name === 'err' || isSecretName(name)) return false;
  }
  return true;
}

function messageOf(message: unknown, parameters: readonly unknown[], budget: SizeBudget): string {
  const isText = typeof message === 'string';
  if (isText && message.length <= maxQuickLength && parameters.length === 0) return message;
  // A budget of its own, so that large fields do not truncate the message.
  const own: SizeBudget = { leftBytes: maxLogMessageBytes, isTruncated: false };
  const text = isText ? boundedText(message, own, maxLogMessageBytes) : boundedValue(message, own);
  const values = parameters.slice(0, maxParameters).map((each) => boundedValue(each, own));
  own.leftBytes = maxLogMessageBytes;
  const formatted = boundedText(formatSafely(text, values), own, maxLogMessageBytes);
  budget.isTruncated ||= own.isTruncated;
  return formatted;
}

/** Formats a message. Node's `format` throws on an object with a field `toString`, or without a prototype. */
function formatSafely(message: unknown, values: readonly unknown[]): string {
  try {
    return format(message, ...values);
  } catch {
    return String(JSON.stringify([message, ...values]));
  }
}

/** Returns the error's message, for a line that has no message of its own. */
function messageOfError(fields: object): unknown {
  try {
    const error = fields instanceof Error ? fields : (fields as Fields).err;
    return error instanceof Error ? error.message : undefined;
  } catch {
    return undefined;
  }
}

function spanMembers(): string {
  const span = trace.getActiveSpan()?.spanContext();
  if (!span || !isSpanContextValid(span)) return '';
  return `,"trace_id":"${span.traceId}","span_id":"${span.spanId}"`;
}

function printable(json: string): string {
  const isAscii = Buffer.byteLength(json) === json.length;
  if (isAscii && !json.includes('\x7f')) return json;
  return json.replaceAll(
    terminalControls,
    (each) => `\\u${each.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

let secondText = '';
let secondMs = Number.NaN;

/** Returns the time in ISO 8601. The part that is the same for all lines of a second is cached. */
function isoTime(nowMs: number): string {
  const milliseconds = nowMs % 1000;
  if (nowMs - milliseconds !== secondMs) {
    secondMs = nowMs - milliseconds;
    secondText = new Date(nowMs).toISOString().slice(0, -4);
  }
  return `${secondText}${String(milliseconds).padStart(3, '0')}Z`;
}
