import { pino } from 'pino';
import { expect, test } from 'vitest';
import { bindingsJson, transformBindings } from './pino-internals.ts';

test('bindings are JSON members with a leading comma, those of the parent first', () => {
  const log = pino({ base: { service: 'test' } });
  expect(bindingsJson(log)).toBe(',"service":"test"');
  expect(bindingsJson(log.child({ request: 1 }))).toBe(',"service":"test","request":1');
});

test('the bindings of children, grandchildren and setBindings are transformed', () => {
  const log = pino({ base: null });
  transformBindings(log, (bindings) => ({ names: Object.keys(bindings as object).join() }));
  const grandchild = log.child({ a: 1 }).child({ b: 1 });
  expect(bindingsJson(grandchild)).toBe(',"names":"a","names":"b"');
  grandchild.setBindings({ c: 1 });
  expect(bindingsJson(grandchild)).toBe(',"names":"a","names":"b","names":"c"');
  expect(bindingsJson(log)).toBe('');
});
