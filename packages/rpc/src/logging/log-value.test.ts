import { expect, test } from 'vitest';
import { maxLineBytes } from './log-line.ts';
import { createLogger, type Logger } from './logger.ts';

function linesOf(write: (log: Logger) => void): string[] {
  const lines: string[] = [];
  write(createLogger({ service: 'test', level: 'info' }, { write: (line) => lines.push(line) }));
  return lines;
}

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
  [
    'an error whose stack is not a string',
    Object.assign(new Error('a'), { stack: circular, code: circular }),
  ],
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

/** All places of a value in a call of the logger. */
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

test.each(places)(
  'logging never throws, and the line is limited, with a hostile value %s',
  (_name, place) => {
    for (const [name, value] of hostileValues) {
      const lines = linesOf((log) => place(log, value as never));
      expect(lines, name).toHaveLength(1);
      expect(Buffer.byteLength(lines[0] ?? ''), name).toBeLessThanOrEqual(maxLineBytes);
      expect(JSON.parse(lines[0] ?? ''), name).toMatchObject({ level: 'info', service: 'test' });
    }
  },
);

test.each([
  ['a message', (log: Logger) => log.info('x'.repeat(10_000))],
  ['a field', (log: Logger) => log.info({ field: 'x'.repeat(10_000) }, 'told')],
  ['a nested field', (log: Logger) => log.info({ field: { inner: 'x'.repeat(10_000) } }, 'told')],
  ['an array', (log: Logger) => log.info({ field: new Array(1000).fill(0) }, 'told')],
  ['an object that is too deep', (log: Logger) => log.info({ field: nested(10) }, 'told')],
  ['an error', (log: Logger) => log.info({ err: new Error('x'.repeat(10_000)) }, 'told')],
])('a line reports that %s was truncated', (_name, write) => {
  const [line = ''] = linesOf(write);
  expect(JSON.parse(line)).toMatchObject({ truncated: true });
});
