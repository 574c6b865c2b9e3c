import { format } from 'node:util';
import { isSpanContextValid, trace } from '@opentelemetry/api';

import { type Logger, pino } from 'pino';

import { flatMembers, maxFlatLength } from './flat-members.ts';
import { bindingsJson } from './internals/pino-internals.ts';
import { boundedFields, boundedText, boundedValue, type SizeBudget } from './log-value.ts';
import { isPlain, isPlainJson } from './plain-text.ts';
import { withoutSecrets } from './redaction.ts';

type Fields = Readonly<Record<string, unknown>>;

/** Maximum size of a line in bytes, line break included. */
export const maxLineBytes = 16 * 1024;
const maxFieldsBytes = 12 * 1024;
const maxLogMessageBytes = 2 * 1024;
/** Maximum number of values for the placeholders of a message, as in `log.info('%s and %s', one, other)`. */
const maxParameters = 16;

/** Characters that JSON does not escape and terminals act on: C1 controls, line separators, changes of direction. */
const terminalControls = /[\x7f-\x9f\u2028-\u202e\u2066-\u2069]/g;

/** A line, with its break, and its size in UTF-8. */
export interface Line {
  readonly text: string;
  readonly sizeBytes: number;
}

interface LineState extends SizeBudget {
  /** Whether all texts so far are plain. */
  isPlain: boolean;
}

/**
 * Returns the JSON line for the arguments of a logger's method. Never throws. A line takes up to 16 KiB;
 * `"truncated": true` marks one from which something was left out. Secrets, recognised by name or shape, are replaced by
 * `[Redacted]`.
 *
 * The fields of a call are few, flat and short, and most of its texts are plain: such lines are made in one step. Other fields
 * are copied within limits, and other lines are searched for secrets and controls.
 */
export function formatLine(log: Logger, args: readonly unknown[], level: number): Line {
  const head = `{"level":"${pino.levels.labels[level]}","time":"${isoTime(Date.now())}"`;
  try {
    const bindings = bindingsJson(log);
    const state: LineState = {
      leftBytes: maxFieldsBytes,
      isTruncated: false,
      isPlain: isPlainJson(bindings),
    };
    const start = `${head}${bindings}${spanMembers()}`;
    const json = `${start}${bodyOf(args, state)}${state.isTruncated ? ',"truncated":true' : ''}}`;
    if (state.isPlain && json.length < maxLineBytes) return asciiLine(json);
    const text = `${printable(withoutSecrets(json))}\n`;
    const sizeBytes = Buffer.byteLength(text);
    if (sizeBytes <= maxLineBytes) return { text, sizeBytes };
    return asciiLine(`${head},"truncated":true,"msg":"log line too long"}`);
  } catch {
    return asciiLine(`${head},"msg":"log line could not be formatted"}`);
  }
}

function asciiLine(json: string): Line {
  return { text: `${json}\n`, sizeBytes: json.length + 1 };
}

/** Returns the JSON members of the fields and the message, each with a leading comma. */
function bodyOf(args: readonly unknown[], state: LineState): string {
  const [first, second] = args;
  const hasFields = typeof first === 'object' && first !== null;
  const fields = hasFields ? membersOf(first, state) : '';
  const message = hasFields || first === undefined || first === null ? second : first;
  const parameters = args.length > 2 || message === first ? args.slice(message === first ? 1 : 2) : none;
  const text = message === undefined && hasFields ? messageOfError(first) : message;
  if (text === undefined) return fields;
  if (typeof text === 'string' && text.length <= maxFlatLength && parameters.length === 0) {
    if (isPlain(text)) return `${fields},"msg":"${text}"`;
    state.isPlain = false;
    return `${fields},"msg":${JSON.stringify(text)}`;
  }
  state.isPlain = false;
  return `${fields},"msg":${JSON.stringify(messageOf(text, parameters, state))}`;
}

const none: readonly unknown[] = [];

function membersOf(fields: object, state: LineState): string {
  const flat = flatMembers(fields);
  state.isPlain &&= flat?.isPlain ?? false;
  if (flat) return flat.json;
  const json = JSON.stringify(boundedFields(fields, state));
  return json === '{}' ? '' : `,${json.slice(1, -1)}`;
}

function messageOf(message: unknown, parameters: readonly unknown[], budget: SizeBudget): string {
  const isText = typeof message === 'string';
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

let [lastText, lastMs] = ['', Number.NaN];
let [secondText, secondMs] = ['', Number.NaN];

/** Returns the time in ISO 8601. The text is cached for its millisecond, and the part before the point for its second. */
function isoTime(nowMs: number): string {
  if (nowMs === lastMs) return lastText;
  const milliseconds = nowMs % 1000;
  if (nowMs - milliseconds !== secondMs) {
    secondMs = nowMs - milliseconds;
    secondText = new Date(nowMs).toISOString().slice(0, -4);
  }
  lastMs = nowMs;
  lastText = `${secondText}${String(milliseconds).padStart(3, '0')}Z`;
  return lastText;
}
