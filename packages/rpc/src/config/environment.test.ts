import { expect, test } from 'vitest';
import { EnvironmentError, readEnvironment, type Setting } from './environment.ts';

const meaning = 'What it sets.';
const port = { min: 1, max: 65_535, meaning };
const mode = { choices: ['default', 'require'], default: 'default', meaning } as const;
const name = { format: 'a name', meaning };

test('a variable that is set is read, and an absent one has its default', () => {
  const environment = readEnvironment({
    NAME: ' echo ',
    MODE: 'require',
    PORT: '50051',
    EMPTY: ' ',
    ALLOWED: 'true',
  });
  expect(environment.text('NAME', name)).toBe('echo');
  expect(environment.text('EMPTY', { ...name, default: 'fallback' })).toBe('fallback');
  expect(environment.text('NAME', { ...name, problemOf: () => undefined })).toBe('echo');
  expect(environment.optionalText('NAME', name)).toBe('echo');
  expect(environment.optionalText('MISSING', name)).toBe(undefined);
  expect(environment.optionalParsed('PORT', { ...name, parse: Number })).toBe(50_051);
  expect(environment.optionalParsed('MISSING', { ...name, parse: Number })).toBe(undefined);
  expect(environment.oneOf('MODE', mode)).toBe('require');
  expect(environment.oneOf('MISSING', mode)).toBe('default');
  expect(environment.exactlyOneOf('MODE', mode)).toBe('require');
  expect(environment.integer('PORT', { ...port, default: 1 })).toBe(50_051);
  expect(environment.integer('MISSING', { ...port, default: 7 })).toBe(7);
  expect(environment.flag('ALLOWED', { meaning })).toBe(true);
  expect(environment.flag('MISSING', { meaning })).toBe(false);
  environment.check();
});

test('one error lists all problems by variable and expected form, and repeats no value', () => {
  const environment = readEnvironment({
    MODE: 'canary',
    PORT: '99999',
    HALF: '1.5',
    HEX: '0x10',
    SPACED: ' default ',
    FLAG: '1',
    ADDRESS: 'canary',
    OTHER_ADDRESS: 'canary',
    PARSED: 'canary',
  });
  const address = { format: 'host:port', problemOf: () => 'the port is missing', meaning };
  environment.text('NAME', { format: 'the name of the service', meaning });
  environment.oneOf('MODE', mode);
  environment.integer('PORT', { ...port, default: 1 });
  environment.integer('HALF', { min: 1, max: 9, default: 1, meaning });
  environment.integer('HEX', { min: 1, max: 99, default: 1, meaning });
  environment.exactlyOneOf('SPACED', mode);
  environment.flag('FLAG', { meaning });
  environment.text('ADDRESS', address);
  environment.text('NO_ADDRESS', address);
  environment.optionalText('OTHER_ADDRESS', address);
  environment.optionalText('NO_OTHER_ADDRESS', address);
  environment.optionalParsed('PARSED', { ...name, parse: () => undefined });
  environment.addProblem('MODE', 'it does not suit HALF', 'another mode');
  expect(() => environment.check()).toThrow(
    new EnvironmentError(
      [
        'NAME is missing: expected the name of the service',
        'MODE is not valid: expected one of default, require',
        'PORT is not valid: expected a whole number from 1 to 65535',
        'HALF is not valid: expected a whole number from 1 to 9',
        'HEX is not valid: expected a whole number from 1 to 99',
        'SPACED is not valid: expected one of default, require',
        'FLAG is not valid: expected one of true, false',
        'ADDRESS is not valid (the port is missing): expected host:port',
        'NO_ADDRESS is missing: expected host:port',
        'OTHER_ADDRESS is not valid (the port is missing): expected host:port',
        'PARSED is not valid: expected a name',
        'MODE is not valid (it does not suit HALF): expected another mode',
      ].join('; '),
    ),
  );
});

test('each read reports what it declares', () => {
  const settings: Setting[] = [];
  const environment = readEnvironment({ NAME: 'echo' }, (setting) => settings.push(setting));
  environment.text('NAME', name);
  environment.text('ADDRESS', { ...name, default: '0.0.0.0:50051' });
  environment.optionalText('FILE', name);
  environment.oneOf('MODE', mode);
  environment.integer('PORT', { ...port, default: 7 });
  expect(settings).toEqual([
    { name: 'NAME', format: 'a name', isRequired: true, meaning },
    { name: 'ADDRESS', format: 'a name', default: '0.0.0.0:50051', isRequired: false, meaning },
    { name: 'FILE', format: 'a name', isRequired: false, meaning },
    {
      name: 'MODE',
      format: 'one of default, require',
      choices: ['default', 'require'],
      default: 'default',
      isRequired: false,
      meaning,
    },
    { name: 'PORT', format: 'a whole number from 1 to 65535', default: '7', isRequired: false, meaning },
  ]);
});
