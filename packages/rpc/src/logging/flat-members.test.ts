import fastCheck from 'fast-check';
import { expect, test } from 'vitest';
import { flatMembers } from './flat-members.ts';
import { createLogger } from './logger.ts';
import { isPlain } from './plain-text.ts';
import { isSecretName } from './redaction.ts';

/** Pieces of secrets, separators, and characters that JSON or a terminal treats in its own way. */
const piece = fastCheck.constantFrom(
  ...['eyJ', 'Bearer', 'password', 'abcdefgh', '7', '/', '//', '://', '@', '=', ':', ' '],
  ...['"', "'", '\\', '%20', 'J', ',', '\u007f', '\u0000', 'é'],
);
const text = fastCheck.array(piece, { maxLength: 12 }).map((pieces) => pieces.join(''));
const value = fastCheck.oneof(
  text,
  fastCheck.double(),
  fastCheck.integer(),
  fastCheck.boolean(),
  fastCheck.constant(undefined),
);
const names = text.filter((name) => !isSecretName(name) && isPlain(name) && name !== 'err');

test('flat members are the JSON of their fields', () => {
  fastCheck.assert(
    fastCheck.property(fastCheck.dictionary(names, value, { maxKeys: 8 }), (dictionary) => {
      const fields = { ...dictionary };
      const json = JSON.stringify(fields).slice(1, -1);
      expect(flatMembers(fields)?.json).toBe(json === '' ? '' : `,${json}`);
    }),
    { numRuns: 300 },
  );
});

/** Returns a function that logs, and returns the line without its time. It checks the size of the line. */
function lineOf(service: string): (fields: object, message: string) => string {
  let last = '';
  const log = createLogger(
    { service, level: 'info' },
    {
      write: (line, sizeBytes) => {
        expect(sizeBytes).toBe(Buffer.byteLength(line));
        last = line.replace(`"${service}"`, '').replace(/"time":"[^"]+"/, '');
      },
    },
    // No line is suppressed.
    { allowanceFor: () => ({ leftBytes: 0 }), setLogger: () => {} },
  );
  return (fields, message) => {
    log.info(fields, message);
    return last;
  };
}

test('a line of plain texts is the same as if it was searched for secrets and controls', () => {
  const lineOfPlain = lineOf('plain');
  // A space in the bindings makes no line plain.
  const lineOfOther = lineOf('not plain');
  const parts = fastCheck.array(piece, { maxLength: 4 }).map((pieces) => pieces.join(''));
  fastCheck.assert(
    fastCheck.property(parts, parts, fastCheck.boolean(), (field, message, isCall) => {
      const args = [{ field }, isCall ? 'call' : message] as const;
      expect(lineOfPlain(...args)).toBe(lineOfOther(...args));
    }),
    { numRuns: 20_000 },
  );
});

test.each<[string, object]>([
  ['a secret', { token: 'a' }],
  ['an error', { err: 'a' }],
  ['an object', { deep: {} }],
  ['a list', { list: [1] }],
  ['null', { nothing: null }],
  ['a bigint', { big: 1n }],
  ['a long text', { long: 'x'.repeat(600) }],
  ['long fields', Object.fromEntries(Array.from({ length: 80 }, (_, index) => [`field${index}`, 1]))],
  [
    'a getter that throws',
    Object.defineProperty({}, 'x', { enumerable: true, get: () => expect.fail('read') }),
  ],
  [
    'a class',
    new (class {
      a = 1;
    })(),
  ],
])('fields with %s are not flat', (_kind, fields) => {
  expect(flatMembers(fields)).toBeUndefined();
});
