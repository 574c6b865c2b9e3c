import fastCheck from 'fast-check';
import { type LoggerOptions, pino } from 'pino';
import { expect, test } from 'vitest';
import { makeFlatLinesQuickly } from './log-line.ts';

const options = {
  base: { service: 'test' },
  timestamp: () => ',"time":"then"',
  serializers: { token: () => 'secret' },
} satisfies LoggerOptions;

function loggerInto(lines: string[]) {
  return pino(options, { write: (line) => lines.push(line) });
}

const flat = fastCheck.oneof(
  fastCheck.string({ unit: 'binary' }),
  fastCheck.double(),
  fastCheck.boolean(),
  fastCheck.constant(undefined),
);
const deep = fastCheck.oneof(
  fastCheck.constant(null),
  fastCheck.object(),
  fastCheck.constant(() => 1),
);
const keys = fastCheck.oneof(fastCheck.string(), fastCheck.constantFrom('token', 'err', 'msg', 'toJSON'));
const fields = fastCheck.dictionary(keys, fastCheck.oneof({ weight: 9, arbitrary: flat }, deep), {
  noNullPrototype: true,
});

test('ensure every line is the one that pino would have made', () => {
  const quick: string[] = [];
  const own: string[] = [];
  const log = loggerInto(quick);
  makeFlatLinesQuickly(log, options.serializers);
  fastCheck.assert(
    fastCheck.property(fields, fastCheck.string({ unit: 'binary' }), (each, message) => {
      for (const [one, other] of [
        [log, loggerInto(own)],
        [log.child({ order_id: '1' }), loggerInto(own).child({ order_id: '1' })],
      ] as const) {
        one.info({ ...each }, message);
        other.info({ ...each }, message);
        one.error({ ...each });
        other.error({ ...each });
      }
      expect(quick.splice(0)).toEqual(own.splice(0));
    }),
  );
});
