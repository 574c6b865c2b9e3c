import { readEnvironment } from '@acme/rpc/config';
import { expect, test } from 'vitest';
import { readEraseConfig } from './erase-config.ts';

test('the command names every variable that is missing', () => {
  expect(() => readEraseConfig(readEnvironment({}))).toThrow(
    /ORDERS_TARGET is missing.*AUTH_TOKEN_FILE is missing/s,
  );
});

test('the command needs TLS to another machine', () => {
  const variables = { ORDERS_TARGET: 'dns:///orders:50051', AUTH_TOKEN_FILE: 'operator.token' };
  expect(() => readEraseConfig(readEnvironment(variables))).toThrow(
    /ORDERS_TARGET is not valid \(TLS is off/,
  );
});
