import { format } from 'node:util';
import { isSpanContextValid, trace } from '@opentelemetry/api';
import { type Logger, pino } from 'pino';
import { boundedFields, boundedText, boundedValue, type Space } from './log-value.ts';
import { isSecretName, withoutSecrets } from './redaction.ts';

type Fields = Readonly<Record<string, unknown>>;

/** Longest line, in bytes, line break included. */
export const maxLineBytes = 16 * 1024;
const maxFieldsBytes = 12 * 1024;
const maxMessageBytes = 2 * 1024;
/** Fields of fewer characters than this are within the limits, whatever the characters are. */
const maxQuickLength = 512;
/** Values for the placeholders of a message, as in `log.info('%s and %s', one, other)`. */
const maxParameters = 16;

/**
 * Characters that JSON takes as they are and terminals act on: C1 controls, line separators, changes of direction.
 */
const terminalControls = /[\x7f-\x9f\u2028-\u202e\u2066-\u2069]/g;

/**
 * Returns the JSON line for the arguments of a logger's method. It never throws, whatever they are. A line takes at most
 * 16 KiB; `"truncated": true` says that something was left out. Secrets that are known by their name or their shape are
 * replaced by `[Redacted]`.
 *
 * The fields of every call are few, flat and short: they become JSON at once. Others are copied within limits first.
 */
export function makeLine(log: Logger, args: readonly unknown[], level: number): string {
  const head = `{"level":"${pino.levels.labels[level]}","time":"${isoTime(Date.now())}"`;
  try {
    const space: Space = { leftBytes: maxFieldsBytes, isCut: false };
    const body = bodyOf(args, space);
    const line = `${head}${bindingsOf(log)}${spanMembers()}${body}${space.isCut ? ',"truncated":true' : ''}}`;
    const shown = printable(withoutSecrets(line));
    if (Buffer.byteLength(shown) < maxLineBytes) return `${shown}\n`;
    return `${head},"truncated":true,"msg":"a line that was too long"}\n`;
  } catch {
    return `${head},"msg":"a line that could not be made"}\n`;
  }
}

/** The members of fields and message, each with a comma before it. */
function bodyOf(args: readonly unknown[], space: Space): string {
  const [first, second] = args;
  const hasFields = typeof first === 'object' && first !== null;
  const fields = hasFields ? membersOf(first, space) : '';
  const message = hasFields || first === undefined || first === null ? second : first;
  const parameters = args.length > 2 || message === first ? args.slice(message === first ? 1 : 2) : none;
  const text = message === undefined && hasFields ? messageOfError(first) : message;
  if (text === undefined) return fields;
  return `${fields},"msg":${JSON.stringify(messageOf(text, parameters, space))}`;
}

const none: readonly unknown[] = [];

function membersOf(fields: object, space: Space): string {
  const json = JSON.stringify(isQuickSafely(fields) ? fields : boundedFields(fields, space));
  return json === '{}' ? '' : `,${json.slice(1, -1)}`;
}

/** A getter or a proxy can throw. */
function isQuickSafely(fields: object): fields is Fields {
  try {
    return isQuick(fields);
  } catch {
    return false;
  }
}

/** Whether the fields are plain, flat and short, and none of them is a secret. */
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

function messageOf(message: unknown, parameters: readonly unknown[], space: Space): string {
  const isText = typeof message === 'string';
  if (isText && message.length <= maxQuickLength && parameters.length === 0) return message;
  // The message has space of its own: fields that take all of theirs leave it whole.
  const own: Space = { leftBytes: maxMessageBytes, isCut: false };
  const text = isText ? boundedText(message, own, maxMessageBytes) : boundedValue(message, own);
  const values = parameters.slice(0, maxParameters).map((each) => boundedValue(each, own));
  own.leftBytes = maxMessageBytes;
  const formatted = boundedText(formatSafely(text, values), own, maxMessageBytes);
  space.isCut ||= own.isCut;
  return formatted;
}

/** Node's `format` throws on an object that has a field named `toString`, and on one without a prototype. */
function formatSafely(message: unknown, values: readonly unknown[]): string {
  try {
    return format(message, ...values);
  } catch {
    return String(JSON.stringify([message, ...values]));
  }
}

/** The message of a line that has an error and no message of its own. */
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

/** The service and what child loggers were given, as JSON that pino made when they were created. */
function bindingsOf(log: Logger): string {
  return (log as unknown as Readonly<Record<symbol, string>>)[pino.symbols.chindingsSym] ?? '';
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

/** The time as ISO 8601. The part that a second's lines have in common is made once. */
function isoTime(nowMs: number): string {
  const milliseconds = nowMs % 1000;
  if (nowMs - milliseconds !== secondMs) {
    secondMs = nowMs - milliseconds;
    secondText = new Date(nowMs).toISOString().slice(0, -4);
  }
  return `${secondText}${String(milliseconds).padStart(3, '0')}Z`;
}
