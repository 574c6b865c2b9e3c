import { expect, test } from 'vitest';
import { EnvironmentError, readEnvironment } from '../config/environment.ts';
import type { TlsConfig } from '../tls/tls-files.ts';
import { readOptionalTarget, readTarget } from './read-target.ts';

const files: TlsConfig = { mode: 'tls', certFile: '/tls.crt', keyFile: '/tls.key', caFile: undefined };

function read(target: string | undefined, tls?: TlsConfig) {
  const environment = readEnvironment({ ECHO_TARGET: target });
  const read = readTarget(environment, 'ECHO_TARGET', { tls, meaning: 'Target of echo.' });
  environment.check();
  return read;
}

test('a target on another machine is called over TLS only', () => {
  expect(read('dns:///echo:50052', files)).toBe('dns:///echo:50052');
  expect(() => read('dns:///echo:50052')).toThrow(
    new EnvironmentError(
      'ECHO_TARGET is not valid (TLS is off, and no token is sent to another machine in plain text): ' +
        'expected TLS_MODE=tls or mtls, or a loopback target',
    ),
  );
});

test.each([
  '127.0.0.1:50052',
  'dns:///localhost:50052',
  'ipv4:127.0.0.1:1,127.0.0.1:2',
  'unix:/run/echo.sock',
])('%s may be called in plain text', (target) => {
  expect(read(target)).toBe(target);
});

test('a target that is missing or malformed is one problem', () => {
  const wants = 'expected a gRPC target: dns:///host:port, host:port, ipv4:1.2.3.4:port or unix:/path';
  expect(() => read(undefined)).toThrow(new EnvironmentError(`ECHO_TARGET is missing: ${wants}`));
  expect(() => read('127.0.0.1')).toThrow(
    new EnvironmentError(`ECHO_TARGET is not valid (the port is missing): ${wants}`),
  );
});

test('an optional target may be absent, and is checked otherwise', () => {
  const readOptional = (target: string | undefined) => {
    const environment = readEnvironment({ ECHO_TARGET: target });
    const read = readOptionalTarget(environment, 'ECHO_TARGET', {
      tls: undefined,
      meaning: 'Target of echo.',
    });
    environment.check();
    return read;
  };
  expect(readOptional(undefined)).toBe(undefined);
  expect(readOptional('127.0.0.1:1')).toBe('127.0.0.1:1');
  expect(() => readOptional('127.0.0.1')).toThrow('ECHO_TARGET is not valid');
  expect(() => readOptional('echo:1')).toThrow('TLS is off');
});
