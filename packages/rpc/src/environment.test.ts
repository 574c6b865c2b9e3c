import { expect, test } from 'vitest';
import { EnvironmentError, readEnvironment } from './environment.ts';

test('ensure what is set is read, and what is not has its fallback', () => {
  const environment = readEnvironment({
    NAME: ' orders ',
    MODE: 'require',
    PORT: '50051',
    URL: 'postgres://localhost/orders',
    EMPTY: ' ',
  });
  expect(environment.text('NAME', 'a name')).toBe('orders');
  expect(environment.text('EMPTY', 'a name', 'fallback')).toBe('fallback');
  expect(environment.optionalText('MISSING')).toBe(undefined);
  expect(environment.oneOf('MODE', ['default', 'require'], 'default')).toBe('require');
  expect(environment.oneOf('MISSING', ['default', 'require'], 'default')).toBe('default');
  expect(environment.integer('PORT', { min: 1, max: 65_535 }, 1)).toBe(50_051);
  expect(environment.integer('MISSING', { min: 1, max: 65_535 }, 7)).toBe(7);
  expect(environment.url('URL', ['postgres'])).toBe('postgres://localhost/orders');
  environment.check();
});

test('ensure all problems are told at once, by name and wish, and no value is repeated', () => {
  const environment = readEnvironment({
    MODE: 'canary',
    PORT: '99999',
    HALF: '1.5',
    URL: 'mysql://user:canary@localhost',
    NO_URL: 'canary',
  });
  environment.text('NAME', 'the name of the service');
  environment.oneOf('MODE', ['default', 'require'], 'default');
  environment.integer('PORT', { min: 1, max: 65_535 }, 1);
  environment.integer('HALF', { min: 1, max: 9 }, 1);
  environment.url('URL', ['postgres', 'postgresql']);
  environment.url('NO_URL', ['https']);
  expect(() => environment.check()).toThrow(
    new EnvironmentError(
      [
        'NAME is missing: it wants the name of the service',
        'MODE is not valid: it wants one of default, require',
        'PORT is not valid: it wants a whole number from 1 to 65535',
        'HALF is not valid: it wants a whole number from 1 to 9',
        'URL is not valid: it wants a URL that starts with postgres:// or postgresql://',
        'NO_URL is not valid: it wants a URL that starts with https://',
      ].join('; '),
    ),
  );
});
