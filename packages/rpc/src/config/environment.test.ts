import { expect, test } from 'vitest';
import { EnvironmentError, readEnvironment } from './environment.ts';

test('ensure what is set is read, and what is not has its fallback', () => {
  const environment = readEnvironment({
    NAME: ' orders ',
    MODE: 'require',
    PORT: '50051',
    EMPTY: ' ',
    ALLOWED: 'true',
  });
  expect(environment.text('NAME', 'a name')).toBe('orders');
  expect(environment.text('EMPTY', 'a name', 'fallback')).toBe('fallback');
  expect(environment.optionalText('MISSING')).toBe(undefined);
  expect(environment.oneOf('MODE', ['default', 'require'], 'default')).toBe('require');
  expect(environment.oneOf('MISSING', ['default', 'require'], 'default')).toBe('default');
  expect(environment.integer('PORT', { min: 1, max: 65_535 }, 1)).toBe(50_051);
  expect(environment.integer('MISSING', { min: 1, max: 65_535 }, 7)).toBe(7);
  expect(environment.checkedText('NAME', 'a name', () => undefined)).toBe('orders');
  expect(environment.checkedText('EMPTY', 'a name', () => undefined, 'fallback')).toBe('fallback');
  expect(environment.exactlyOneOf('MODE', ['default', 'require'], 'default')).toBe('require');
  expect(environment.flag('ALLOWED')).toBe(true);
  expect(environment.flag('MISSING')).toBe(false);
  environment.check();
});

test('ensure all problems are told at once, by name and wish, and no value is repeated', () => {
  const environment = readEnvironment({
    MODE: 'canary',
    PORT: '99999',
    HALF: '1.5',
    HEX: '0x10',
    SPACED: ' default ',
    FLAG: '1',
    ADDRESS: 'canary',
  });
  environment.text('NAME', 'the name of the service');
  environment.oneOf('MODE', ['default', 'require'], 'default');
  environment.integer('PORT', { min: 1, max: 65_535 }, 1);
  environment.integer('HALF', { min: 1, max: 9 }, 1);
  environment.integer('HEX', { min: 1, max: 99 }, 1);
  environment.exactlyOneOf('SPACED', ['default', 'require'], 'default');
  environment.flag('FLAG');
  environment.checkedText('ADDRESS', 'host:port', () => 'the port is missing');
  environment.checkedText('NO_ADDRESS', 'host:port', () => 'not called');
  environment.refuse('MODE', 'it does not suit HALF', 'another mode');
  expect(() => environment.check()).toThrow(
    new EnvironmentError(
      [
        'NAME is missing: it wants the name of the service',
        'MODE is not valid: it wants one of default, require',
        'PORT is not valid: it wants a whole number from 1 to 65535',
        'HALF is not valid: it wants a whole number from 1 to 9',
        'HEX is not valid: it wants a whole number from 1 to 99',
        'SPACED is not valid: it wants one of default, require',
        'FLAG is not valid: it wants one of true, false',
        'ADDRESS is not valid (the port is missing): it wants host:port',
        'NO_ADDRESS is missing: it wants host:port',
        'MODE is not valid (it does not suit HALF): it wants another mode',
      ].join('; '),
    ),
  );
});
