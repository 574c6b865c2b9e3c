import { isPlain } from './plain-text.ts';
import { isSecretName } from './redaction.ts';

/** Number of characters up to which fields are within the limits of a line, whatever the characters are. */
export const maxFlatLength = 512;

/** Cached members without their value, by name: `,"code":`. Its size is limited, because callers can invent names. */
const knownStarts = new Map<string, string>();
const maxKnownStarts = 1000;

/** JSON members, each with a leading comma. */
export interface Members {
  readonly json: string;
  /** Whether all names and texts are plain. */
  readonly isPlain: boolean;
}

/**
 * Returns the fields as JSON members if they are flat and short, as those of a call are, and none is a secret; undefined for
 * others, and for fields with a getter or a proxy that throws. Faster than `JSON.stringify`, which does not say whether the
 * texts are plain.
 */
export function flatMembers(fields: object): Members | undefined {
  try {
    return Object.getPrototypeOf(fields) === Object.prototype ? membersOf(fields) : undefined;
  } catch {
    return undefined;
  }
}

function membersOf(fields: object): Members | undefined {
  let json = '';
  let areAllPlain = true;
  for (const name of Object.keys(fields)) {
    const value = (fields as Readonly<Record<string, unknown>>)[name];
    if (value === undefined) continue;
    if (json.length + name.length > maxFlatLength) return undefined;
    const start = knownStarts.get(name) ?? startOf(name);
    if (start === undefined) return undefined;
    if (typeof value === 'string') {
      if (json.length + value.length > maxFlatLength) return undefined;
      const isTextPlain = isPlain(value);
      areAllPlain &&= isTextPlain;
      json += isTextPlain ? `${start}"${value}"` : start + JSON.stringify(value);
    } else if (typeof value === 'number') json += `${start}${Number.isFinite(value) ? value : null}`;
    else if (typeof value === 'boolean') json += `${start}${value}`;
    else return undefined;
  }
  return { json, isPlain: areAllPlain };
}

/** Returns the start of a member with a plain name; undefined for other names, secrets, and errors, which have a form of their own. */
function startOf(name: string): string | undefined {
  if (name === 'err' || !isPlain(name) || isSecretName(name)) return undefined;
  const start = `,"${name}":`;
  if (knownStarts.size >= maxKnownStarts) knownStarts.clear();
  knownStarts.set(name, start);
  return start;
}
