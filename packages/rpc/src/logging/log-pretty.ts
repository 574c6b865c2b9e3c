import { createRequire } from 'node:module';

/** Characters that a terminal acts on or hides: controls, and characters that change the direction of text. */
const controls = /[\p{Cc}\p{Cf}\u2028\u2029]/gu;

/**
 * Returns a function that formats a JSON line for a terminal, or undefined if pino-pretty is not installed, which is a
 * development dependency. Control characters in values are escaped.
 */
export function prettyFormat(): ((line: string) => string) | undefined {
  const require = createRequire(import.meta.url);
  try {
    const { prettyFactory } = require('pino-pretty') as typeof import('pino-pretty');
    const format = prettyFactory({ colorize: true, singleLine: true, ignore: 'pid,service' });
    return (line) => format(shown(JSON.parse(line)));
  } catch {
    return undefined;
  }
}

/** Escapes control characters, except the line breaks of a stack. */
function shown(value: unknown, name = ''): unknown {
  if (typeof value === 'string')
    return value.replaceAll(controls, (each) => (each === '\n' && name === 'stack' ? each : escaped(each)));
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map((each) => shown(each));
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [shown(key), shown(each, key)]));
}

function escaped(character: string): string {
  return `\\u{${character.codePointAt(0)?.toString(16)}}`;
}
