import { expect, test } from 'vitest';
import { problemsWith } from './testing/problems-with.ts';

test('a key that is optional may be missing', async () => {
  expect(
    await problemsWith('name: peers-2b4d, key: depot', 'name: peers-2b4d, key: shop, optional: true'),
  ).toEqual([]);
});

test.each([
  ['AUTH_AUDIENCE', 'AUTH_AUDIENC', 'would not start: AUTH_AUDIENCE is missing'],
  ['AUTH_AUDIENCE', 'AUTH_AUDIENC', 'sets AUTH_AUDIENC, which it does not read'],
  ['LOG_LEVEL: info', 'LOG_LEVEL: loud', 'would not start: LOG_LEVEL is not valid'],
  ['NODE_ENV: production', 'NODE_ENV: prod', 'would not start: NODE_ENV is not valid'],
  ['TLS_MODE: mtls', "TLS_MODE: 'off'", 'would not start: TLS_MODE is not valid (TLS is off'],
  ['  TLS_CA: /secrets/ca.crt\n', '', 'would not start: TLS_CA is missing'],
  ['data: {depot:', 'data: {depots:', 'reads depot of ConfigMap peers-2b4d, which has no such key'],
  ['{name: peers-2b4d}', '{name: peers}', 'reads ConfigMap peers-2b4d, which does not exist'],
  ['name: depot', 'name: absentee', 'is not a service: '],
])('settings that the service does not accept are a problem: %j as %j', async (from, to, problem) => {
  expect(await problemsWith(from, to)).toContainEqual(expect.stringContaining(problem));
});
