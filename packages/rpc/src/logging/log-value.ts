import { types } from 'node:util';
import { isSecretName, redacted } from './redaction.ts';

/** Size budget of one copy, in bytes of JSON. */
export interface SizeBudget {
  leftBytes: number;
  /** Whether something was left out. */
  isTruncated: boolean;
}

type Fields = Readonly<Record<string, unknown>>;

const maxDepth = 6;
const maxEntries = 100;
const maxNameLength = 128;
const maxTextBytes = 1024;
const maxStackBytes = 4096;
/** Maximum number of bytes of JSON that a character takes when it is escaped. */
const maxCharacterBytes = 6;

/**
 * Returns a copy of the fields that can be serialized as JSON, within the budget. Cycles, secrets and properties that
 * throw are replaced. Long texts, and deep or long objects, are truncated. Never throws.
 */
export function boundedFields(fields: object, budget: SizeBudget): Fields {
  const copy = boundedValue(fields, budget);
  if (types.isNativeError(fields)) return { err: copy };
  if (typeof copy === 'object' && copy !== null && !Array.isArray(copy)) return copy as Fields;
  return { value: copy };
}

/** Returns a copy of any value by the rules of `boundedFields`; undefined for functions and symbols, which JSON omits. */
export function boundedValue(value: unknown, budget: SizeBudget, within: readonly object[] = []): unknown {
  switch (typeof value) {
    case 'string':
      return boundedText(value, budget);
    case 'bigint':
      return shortBigint(value);
    case 'number':
    case 'boolean':
      return value;
    case 'object':
      if (value === null) return null;
      try {
        return objectOf(value, budget, within);
      } catch {
        // A getter, a trap or a toJSON threw.
        return '[unreadable]';
      }
    default:
      return undefined;
  }
}

/** Returns the text, or its beginning and its length. Its JSON is within `maxBytes` and the budget. */
export function boundedText(text: string, budget: SizeBudget, maxBytes = maxTextBytes): string {
  const limitBytes = Math.max(0, Math.min(maxBytes, budget.leftBytes));
  let shown = text.length * maxCharacterBytes <= limitBytes ? text : text.slice(0, limitBytes);
  let sizeBytes = jsonBytes(shown);
  while (sizeBytes > limitBytes && shown !== '') {
    shown = shown.slice(0, Math.floor((shown.length * limitBytes) / sizeBytes));
    sizeBytes = jsonBytes(shown);
  }
  budget.leftBytes -= sizeBytes;
  if (shown.length === text.length) return text;
  budget.isTruncated = true;
  return `${shown.toWellFormed()}… [${text.length} characters]`;
}

function objectOf(value: object, budget: SizeBudget, within: readonly object[]): unknown {
  if (within.includes(value)) return '[circular]';
  if (within.length === maxDepth || budget.leftBytes <= 0) return truncated(budget);
  if (value instanceof Error) return errorOf(value, budget, within);
  if (types.isDate(value)) return Number.isNaN(value.getTime()) ? 'Invalid Date' : value.toISOString();
  if (types.isBoxedPrimitive(value)) return boundedValue(value.valueOf(), budget, [...within, value]);
  if (ArrayBuffer.isView(value) || types.isAnyArrayBuffer(value)) return `[${value.byteLength} bytes]`;
  if (types.isMap(value)) return `[map of ${value.size}]`;
  if (types.isSet(value)) return `[set of ${value.size}]`;
  if (Array.isArray(value)) return itemsOf(value, budget, within);
  const { toJSON } = value as { toJSON?: unknown };
  if (typeof toJSON === 'function') return boundedValue(toJSON.call(value), budget, [...within, value]);
  return entriesOf(value, budget, within);
}

function itemsOf(items: readonly unknown[], budget: SizeBudget, within: readonly object[]): unknown[] {
  const copy: unknown[] = [];
  for (let index = 0; index < items.length; index++) {
    if (index === maxEntries || budget.leftBytes <= 0) {
      truncated(budget);
      copy.push(`… [${items.length} items]`);
      break;
    }
    budget.leftBytes -= 4;
    copy.push(boundedValue(items[index], budget, [...within, items]) ?? null);
  }
  return copy;
}

function entriesOf(value: object, budget: SizeBudget, within: readonly object[]): Fields {
  // No prototype, because a field named `__proto__` would call its setter.
  const copy: Record<string, unknown> = Object.create(null);
  const names = Object.keys(value);
  for (const [index, name] of names.entries()) {
    if (index === maxEntries || budget.leftBytes <= 0) {
      truncated(budget);
      copy['…'] = `[${names.length} fields]`;
      break;
    }
    const shownName = name.length > maxNameLength ? boundedText(name, budget, maxNameLength) : name;
    budget.leftBytes -= shownName.length + 4;
    copy[shownName] = isSecretName(name) ? redacted : fieldOf(value, name, budget, [...within, value]);
  }
  return copy;
}

function fieldOf(value: object, name: string, budget: SizeBudget, within: readonly object[]): unknown {
  const field = read(value, name);
  // A thrown value that is not an error is named, not shown: its properties can be anything.
  if (name === 'err' && field !== undefined && !(field instanceof Error)) return thrownOf(field, budget);
  return boundedValue(field, budget, within);
}

/** Copies the standard properties of an error only: drivers keep connections and their secrets in others. */
function errorOf(error: Error, budget: SizeBudget, within: readonly object[]): Fields {
  const inner = [...within, error];
  const text = (name: 'name' | 'message' | 'stack', maxBytes?: number) => {
    const value = read(error, name);
    return typeof value === 'string' ? boundedText(value, budget, maxBytes) : undefined;
  };
  const fields: Record<string, unknown> = {
    type: text('name'),
    message: text('message'),
    code: boundedValue(read(error, 'code'), budget, inner),
    stack: text('stack', maxStackBytes),
  };
  for (const name of ['cause', 'errors'])
    if (name in error) fields[name] = fieldOf(error, name, budget, inner);
  return fields;
}

function thrownOf(value: unknown, budget: SizeBudget): Fields {
  const isShown = typeof value !== 'object' && typeof value !== 'function' && typeof value !== 'symbol';
  return { type: typeof value, message: isShown ? String(boundedValue(value, budget)) : `[${typeof value}]` };
}

/** Reads a property whose getter may throw. */
function read(value: object, name: string): unknown {
  try {
    return (value as Fields)[name];
  } catch {
    return '[unreadable]';
  }
}

/** Returns a number where it is exact, else a text. A bigint of a million digits would take seconds to print. */
function shortBigint(value: bigint): unknown {
  if (BigInt.asIntN(128, value) !== value) return '[bigint]';
  return Number.isSafeInteger(Number(value)) ? Number(value) : String(value);
}

function truncated(budget: SizeBudget): string {
  budget.isTruncated = true;
  return '[cut]';
}

function jsonBytes(text: string): number {
  return Buffer.byteLength(JSON.stringify(text));
}
