import fastCheck from 'fast-check';
import { expect, test } from 'vitest';
import { createLogger, type Logger } from './logger.ts';
import { isSecretName } from './redaction.ts';

function linesOf(write: (log: Logger) => void): string[] {
  const lines: string[] = [];
  write(createLogger({ service: 'test', level: 'info' }, { write: (line) => lines.push(line) }));
  return lines;
}

const parsedLinesOf = (write: (log: Logger) => void): Record<string, unknown>[] =>
  linesOf(write).map((line) => JSON.parse(line));

test('a complete line is not marked as truncated', () => {
  expect(parsedLinesOf((log) => log.info({ at: new Date(0), deep: { list: [1, 'a'] } }, 'told'))).toEqual([
    {
      level: 'info',
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
      service: 'test',
      pid: process.pid,
      at: '1970-01-01T00:00:00.000Z',
      deep: { list: [1, 'a'] },
      msg: 'told',
    },
  ]);
});

test('a truncated text contains its beginning and its length, and is well-formed', () => {
  const [line] = parsedLinesOf((log) =>
    log.info({ field: `${'x'.repeat(1020)}${'😀'.repeat(1000)}` }, 'told'),
  );
  const field = String(line?.field);
  expect(field).toMatch(/^x{1000}/);
  expect(field).toMatch(/… \[3020 characters\]$/);
  expect(field.isWellFormed()).toBe(true);
});

test('an error has its type, message, code, stack and causes, and none of its other properties', () => {
  const err = Object.assign(
    new TypeError('outer', { cause: new AggregateError([new Error('inner')], 'both') }),
    {
      code: 'E1',
      client: { password: 'x' },
    },
  );
  const [line] = parsedLinesOf((log) => log.error({ err }, 'told'));
  expect(line?.err).toEqual({
    type: 'TypeError',
    message: 'outer',
    code: 'E1',
    stack: err.stack,
    cause: expect.objectContaining({
      message: 'both',
      errors: [expect.objectContaining({ message: 'inner' })],
    }),
  });
});

test('a line without a message has the message of its error', () => {
  const lines = parsedLinesOf((log) => {
    log.error(new Error('alone'));
    log.error({ err: new Error('in a field') });
    log.error({ err: 'thrown' });
  });
  expect(lines).toMatchObject([
    { err: { type: 'Error' }, msg: 'alone' },
    { msg: 'in a field' },
    { err: { type: 'string', message: 'thrown' } },
  ]);
});

test('placeholders of a message are filled in', () => {
  const lines = parsedLinesOf((log) => {
    log.info('%s has %d of %j', 'A', 2, { b: 1 });
    log.info({ a: 1 }, 'text %s', 'x');
    log.info(undefined, 'text');
  });
  expect(lines).toMatchObject([{ msg: 'A has 2 of {"b":1}' }, { a: 1, msg: 'text x' }, { msg: 'text' }]);
});

test('a line contains no character that a terminal acts on', () => {
  const controls = '\u001b[2J\r\n\u0000\u007f\u0085\u009b31m\u2028\u2029\u202e\u2066';
  const lines = linesOf((log) => {
    log.info({ field: controls, [controls]: controls }, controls);
    log.child({ field: controls }).info({ deep: [controls] }, 'told');
  });
  for (const line of lines) expect(line).toMatch(/^[\x20-\x7e]+\n$/);
  expect(JSON.parse(lines[0] ?? '')).toMatchObject({ field: controls, msg: controls });
});

test('flat fields are written as JSON', () => {
  const flat = fastCheck.oneof(
    fastCheck.string({ unit: 'binary' }),
    fastCheck.double(),
    fastCheck.boolean(),
    fastCheck.constant(undefined),
  );
  const names = fastCheck
    .string()
    .filter((name) => !['level', 'time', 'service', 'pid', 'msg'].includes(name) && !isSecretName(name));
  fastCheck.assert(
    fastCheck.property(
      fastCheck.dictionary(names, flat),
      fastCheck.string({ unit: 'binary' }),
      (fields, text) => {
        const [line] = parsedLinesOf((log) => log.info({ ...fields }, text));
        const expected = JSON.parse(JSON.stringify({ ...fields, msg: text }));
        const { level: _level, time: _time, service: _service, pid: _pid, ...own } = line ?? {};
        expect(own).toEqual(expected);
      },
    ),
  );
});
