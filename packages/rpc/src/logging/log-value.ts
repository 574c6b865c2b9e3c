import { types } from 'node:util';
import { isSecretName, redacted } from './redaction.ts';

/** Limits of one copy, in bytes of JSON. */
export interface Space {
  leftBytes: number;
  /** Whether something was left out. */
  isCut: boolean;
}

type Fields = Readonly<Record<string, unknown>>;

const maxDepth = 6;
const maxEntries = 100;
const maxNameLength = 128;
const maxTextBytes = 1024;
const maxStackBytes = 4096;
/** Escaped, a character takes as many bytes of JSON as this. */
const maxCharacterBytes = 6;

/**
 * Returns a copy of the fields that JSON can take, within the space: without cycles, secrets, and what throws when it is
 * read. Longer texts, deeper and longer objects are cut. It never throws.
 */
export function boundedFields(fields: object, space: Space): Fields {
  const copy = boundedValue(fields, space);
  if (types.isNativeError(fields)) return { err: copy };
  if (typeof copy === 'object' && copy !== null && !Array.isArray(copy)) return copy as Fields;
  return { value: copy };
}

/** Returns such a copy of any value: undefined for functions and symbols, which JSON leaves out. */
export function boundedValue(value: unknown, space: Space, within: readonly object[] = []): unknown {
  switch (typeof value) {
    case 'string':
      return boundedText(value, space);
    case 'bigint':
      return shortBigint(value);
    case 'number':
    case 'boolean':
      return value;
    case 'object':
      if (value === null) return null;
      try {
        return objectOf(value, space, within);
      } catch {
        // A getter, a trap or a toJSON threw.
        return '[unreadable]';
      }
    default:
      return undefined;
  }
}

/** Returns the text, or its beginning with its length. Its JSON takes no more than the bytes and the space that is left. */
export function boundedText(text: string, space: Space, maxBytes = maxTextBytes): string {
  const limitBytes = Math.max(0, Math.min(maxBytes, space.leftBytes));
  let shown = text.length * maxCharacterBytes <= limitBytes ? text : text.slice(0, limitBytes);
  let sizeBytes = jsonBytes(shown);
  while (sizeBytes > limitBytes && shown !== '') {
    shown = shown.slice(0, Math.floor((shown.length * limitBytes) / sizeBytes));
    sizeBytes = jsonBytes(shown);
  }
  space.leftBytes -= sizeBytes;
  if (shown.length === text.length) return text;
  space.isCut = true;
  return `${shown.toWellFormed()}… [${text.length} characters]`;
}

function objectOf(value: object, space: Space, within: readonly object[]): unknown {
  if (within.includes(value)) return '[circular]';
  if (within.length === maxDepth || space.leftBytes <= 0) return cut(space);
  if (value instanceof Error) return errorOf(value, space, within);
  if (types.isDate(value)) return Number.isNaN(value.getTime()) ? 'Invalid Date' : value.toISOString();
  if (types.isBoxedPrimitive(value)) return boundedValue(value.valueOf(), space, [...within, value]);
  if (ArrayBuffer.isView(value) || types.isAnyArrayBuffer(value)) return `[${value.byteLength} bytes]`;
  if (types.isMap(value)) return `[map of ${value.size}]`;
  if (types.isSet(value)) return `[set of ${value.size}]`;
  if (Array.isArray(value)) return itemsOf(value, space, within);
  const { toJSON } = value as { toJSON?: unknown };
  if (typeof toJSON === 'function') return boundedValue(toJSON.call(value), space, [...within, value]);
  return entriesOf(value, space, within);
}

function itemsOf(items: readonly unknown[], space: Space, within: readonly object[]): unknown[] {
  const copy: unknown[] = [];
  for (let index = 0; index < items.length; index++) {
    if (index === maxEntries || space.leftBytes <= 0) {
      cut(space);
      copy.push(`… [${items.length} items]`);
      break;
    }
    space.leftBytes -= 4;
    copy.push(boundedValue(items[index], space, [...within, items]) ?? null);
  }
  return copy;
}

function entriesOf(value: object, space: Space, within: readonly object[]): Fields {
  // Without a prototype, whose setter would take a field named `__proto__`.
  const copy: Record<string, unknown> = Object.create(null);
  const names = Object.keys(value);
  for (const [index, name] of names.entries()) {
    if (index === maxEntries || space.leftBytes <= 0) {
      cut(space);
      copy['…'] = `[${names.length} fields]`;
      break;
    }
    const shownName = name.length > maxNameLength ? boundedText(name, space, maxNameLength) : name;
    space.leftBytes -= shownName.length + 4;
    copy[shownName] = isSecretName(name) ? redacted : fieldOf(value, name, space, [...within, value]);
  }
  return copy;
}

function fieldOf(value: object, name: string, space: Space, within: readonly object[]): unknown {
  const field = read(value, name);
  // What else can be thrown than an error is named, not shown: its properties can be anything.
  if (name === 'err' && field !== undefined && !(field instanceof Error)) return thrownOf(field, space);
  return boundedValue(field, space, within);
}

/** Never an error's other properties, where drivers keep connections and their secrets. */
function errorOf(error: Error, space: Space, within: readonly object[]): Fields {
  const inner = [...within, error];
  const text = (name: 'name' | 'message' | 'stack', maxBytes?: number) => {
    const value = read(error, name);
    return typeof value === 'string' ? boundedText(value, space, maxBytes) : undefined;
  };
  const fields: Record<string, unknown> = {
    type: text('name'),
    message: text('message'),
    code: boundedValue(read(error, 'code'), space, inner),
    stack: text('stack', maxStackBytes),
  };
  for (const name of ['cause', 'errors'])
    if (name in error) fields[name] = fieldOf(error, name, space, inner);
  return fields;
}

function thrownOf(value: unknown, space: Space): Fields {
  const isShown = typeof value !== 'object' && typeof value !== 'function' && typeof value !== 'symbol';
  return { type: typeof value, message: isShown ? String(boundedValue(value, space)) : `[${typeof value}]` };
}

/** Undefined for a property that throws when it is read. */
function read(value: object, name: string): unknown {
  try {
    return (value as Fields)[name];
  } catch {
    return '[unreadable]';
  }
}

/** As a number where it is exact. A bigint of a million digits takes seconds to print. */
function shortBigint(value: bigint): unknown {
  if (BigInt.asIntN(128, value) !== value) return '[bigint]';
  return Number.isSafeInteger(Number(value)) ? Number(value) : String(value);
}

function cut(space: Space): string {
  space.isCut = true;
  return '[cut]';
}

function jsonBytes(text: string): number {
  return Buffer.byteLength(JSON.stringify(text));
}
