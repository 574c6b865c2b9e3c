import fastCheck from 'fast-check';
import { expect, test } from 'vitest';
import { createLogger, type Logger } from './log.ts';
import { maxLineBytes } from './log-line.ts';

function linesOf(write: (log: Logger) => void): string[] {
  const lines: string[] = [];
  write(createLogger({ service: 'test', level: 'info' }, { write: (line) => lines.push(line) }));
  return lines;
}

const parsedLinesOf = (write: (log: Logger) => void): Record<string, unknown>[] =>
  linesOf(write).map((line) => JSON.parse(line));

const megabyte = 1024 * 1024;

function circularErrors(): Error {
  const first = new Error('first');
  const second = new Error('second', { cause: first });
  first.cause = second;
  return first;
}

function nested(depth: number): object {
  let value: object = {};
  for (let level = 0; level < depth; level++) value = { inner: value };
  return value;
}

const throwing = () => {
  throw new Error('a trap');
};
const trappedHandler: ProxyHandler<object> = {
  get: throwing,
  has: throwing,
  ownKeys: throwing,
  getPrototypeOf: throwing,
  getOwnPropertyDescriptor: throwing,
};
const revoked = Proxy.revocable({}, {});
revoked.revoke();
const circular: Record<string, unknown> = { list: [] };
circular.self = circular;
(circular.list as unknown[]).push(circular);

const hostileValues: readonly (readonly [string, unknown])[] = [
  ['errors that cause each other', circularErrors()],
  ['an object within itself', circular],
  ['10,000 levels', nested(10_000)],
  ['an array of a million items', new Array(1_000_000).fill({ a: 1 })],
  ['100,000 fields', Object.fromEntries(Array.from({ length: 100_000 }, (_, index) => [`field${index}`, 1]))],
  ['a field with a long name', { ['n'.repeat(megabyte)]: 1 }],
  ['a long text', 'x'.repeat(10 * megabyte)],
  ['a long text of wide characters', '値'.repeat(megabyte)],
  ['a long text of control characters', '\u009b\u0000'.repeat(megabyte)],
  ['an error with a long message', new Error('x'.repeat(10 * megabyte))],
  [
    '1,000 errors',
    new AggregateError(
      Array.from({ length: 1000 }, () => new Error('one')),
      'all',
    ),
  ],
  [
    'a getter that throws',
    {
      get field() {
        return throwing();
      },
    },
  ],
  ['an error whose message throws', Object.defineProperty(new Error(), 'message', { get: throwing })],
  ['an error whose stack is no text', Object.assign(new Error('a'), { stack: circular, code: circular })],
  ['toJSON that throws', { toJSON: throwing }],
  [
    'toJSON that returns itself',
    {
      toJSON() {
        return this;
      },
    },
  ],
  ['a proxy that throws', new Proxy({}, trappedHandler)],
  ['a proxy of an error that throws', new Proxy(new Error('a'), trappedHandler)],
  ['a revoked proxy', revoked.proxy],
  ['a bigint of a million digits', 1n << 4_000_000n],
  ['a symbol', Symbol('s')],
  ['a function', throwing],
  ['an invalid date', new Date(Number.NaN)],
  ['a buffer', Buffer.alloc(megabyte)],
  ['a map', new Map([[circular, circular]])],
  ['a set', new Set([1, 2])],
  ['a boxed text', new String('x'.repeat(megabyte))],
  ['an object without a prototype', Object.assign(Object.create(null), { a: 1 })],
  ['fields named as methods', { hasOwnProperty: 1, toString: 1, toJSON: 1, ['__proto__']: 1 }],
  ['a request of HTTP by its fields', { method: 'GET', headers: {}, socket: {}, setHeader: throwing }],
  ['nothing', null],
  ['not a number', Number.NaN],
];

/** Everywhere in a call of the logger that a value can stand. */
const places: readonly (readonly [string, (log: Logger, value: never) => void])[] = [
  ['as the fields', (log, value: object) => log.info(value, 'told')],
  ['as the only argument', (log, value) => log.info(value)],
  ['as a field', (log, value) => log.info({ field: value }, 'told')],
  ['as err', (log, value) => log.info({ err: value }, 'told')],
  ['as err without a message', (log, value) => log.info({ err: value })],
  ['as a cause', (log, value) => log.info({ err: new Error('a', { cause: value }) }, 'told')],
  ['as the message', (log, value) => log.info({}, value as string)],
  ['in the message', (log, value) => log.info('told %s %d %j %o %O', value, value, value, value, value)],
  ['of a child', (log, value) => log.child({ field: value }).info('told')],
  ['as all of a child', (log, value) => log.child(value).info('told')],
  ['as a code and a method', (log, value) => log.info({ code: value, method: value }, 'told')],
];

test.each(places)('logging never throws, and a line is bounded, with a hostile value %s', (_name, place) => {
  for (const [name, value] of hostileValues) {
    const lines = linesOf((log) => place(log, value as never));
    expect(lines, name).toHaveLength(1);
    expect(Buffer.byteLength(lines[0] ?? ''), name).toBeLessThanOrEqual(maxLineBytes);
    expect(JSON.parse(lines[0] ?? ''), name).toMatchObject({ level: 'info', service: 'test' });
  }
});

test.each([
  ['a message', (log: Logger) => log.info('x'.repeat(10_000))],
  ['a field', (log: Logger) => log.info({ field: 'x'.repeat(10_000) }, 'told')],
  ['a nested field', (log: Logger) => log.info({ field: { inner: 'x'.repeat(10_000) } }, 'told')],
  ['an array', (log: Logger) => log.info({ field: new Array(1000).fill(0) }, 'told')],
  ['an object that is too deep', (log: Logger) => log.info({ field: nested(10) }, 'told')],
  ['an error', (log: Logger) => log.info({ err: new Error('x'.repeat(10_000)) }, 'told')],
])('a line says that %s was cut', (_name, write) => {
  expect(parsedLinesOf(write)).toMatchObject([{ truncated: true }]);
});

test('a line that was not cut does not say so', () => {
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

test('a cut text keeps its beginning and its length, and is well-formed', () => {
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

test('a line without a message has that of its error', () => {
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

test('no character that a terminal acts on is in a line', () => {
  const controls = '\u001b[2J\r\n\u0000\u007f\u0085\u009b31m\u2028\u2029\u202e\u2066';
  const lines = linesOf((log) => {
    log.info({ field: controls, [controls]: controls }, controls);
    log.child({ field: controls }).info({ deep: [controls] }, 'told');
  });
  for (const line of lines) expect(line).toMatch(/^[\x20-\x7e]+\n$/);
  expect(JSON.parse(lines[0] ?? '')).toMatchObject({ field: controls, msg: controls });
});

test('flat fields are written as JSON has them', () => {
  const flat = fastCheck.oneof(
    fastCheck.string({ unit: 'binary' }),
    fastCheck.double(),
    fastCheck.boolean(),
    fastCheck.constant(undefined),
  );
  const names = fastCheck
    .string()
    .filter((name) => !['level', 'time', 'service', 'pid', 'msg'].includes(name));
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
