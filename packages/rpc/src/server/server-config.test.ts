import { expect, test } from 'vitest';
import { EnvironmentError, readEnvironment } from '../environment.ts';
import { readServerConfig } from './server-config.ts';

const required = { AUTH_JWKS: '/jwks.json', AUTH_ISSUER: 'https://issuer.test', AUTH_AUDIENCE: 'orders' };
const files = { TLS_CERT: '/orders.crt', TLS_KEY: '/orders.key', TLS_CA: '/ca.crt' };

function read(variables: Record<string, string>) {
  const environment = readEnvironment({ ...required, ...variables });
  const config = readServerConfig(environment, '0.0.0.0:50051');
  environment.check();
  return config;
}

test('ensure a service speaks plain text, and trusts no certificate, unless it is told to', () => {
  expect(read({})).toMatchObject({ tls: undefined, peers: new Map() });
  expect(read({ TLS_MODE: 'off', ...files }).tls).toBe(undefined);
});

test('ensure TLS has the files it needs: authorities are optional without mTLS', () => {
  const [certFile, keyFile, caFile] = ['/orders.crt', '/orders.key', '/ca.crt'];
  expect(read({ TLS_MODE: 'mtls', ...files }).tls).toEqual({ mode: 'mtls', certFile, keyFile, caFile });
  expect(read({ TLS_MODE: 'tls', ...files }).tls).toEqual({ mode: 'tls', certFile, keyFile, caFile });
  expect(read({ TLS_MODE: 'tls', ...files, TLS_CA: '' }).tls).toMatchObject({ caFile: undefined });
});

test('ensure services that need no token are read with their scopes', () => {
  const AUTH_PEERS = 'spiffe://acme.example/orders=inventory:reserve inventory:read';
  expect(read({ TLS_MODE: 'mtls', ...files, AUTH_PEERS }).peers).toEqual(
    new Map([['spiffe://acme.example/orders', new Set(['inventory:reserve', 'inventory:read'])]]),
  );
});

test('the clock of the issuer may be off by five seconds, or as the operator says', () => {
  expect(read({}).auth.clockToleranceSeconds).toBe(5);
  expect(read({ AUTH_CLOCK_TOLERANCE_SECONDS: '0' }).auth.clockToleranceSeconds).toBe(0);
  expect(read({ AUTH_CLOCK_TOLERANCE_SECONDS: '60' }).auth.clockToleranceSeconds).toBe(60);
});

test('only peers are trusted with the trace context, unless the operator says so', () => {
  expect(read({}).traceContext).toBe('peers');
  expect(read({ TRACE_CONTEXT: 'all' }).traceContext).toBe('all');
});

test.each<[Record<string, string>, string]>([
  [{ TRACE_CONTEXT: 'ignore' }, 'TRACE_CONTEXT is not valid: it wants one of peers, all'],
  [
    { AUTH_CLOCK_TOLERANCE_SECONDS: '61' },
    'AUTH_CLOCK_TOLERANCE_SECONDS is not valid: it wants a whole number from 0 to 60',
  ],
  [{ TLS_MODE: 'on' }, 'TLS_MODE is not valid: it wants one of off, tls, mtls'],
  [
    { TLS_MODE: 'tls' },
    "TLS_CERT is missing: it wants the file with this service's certificate; " +
      "TLS_KEY is missing: it wants the file with that certificate's key",
  ],
  [
    { TLS_MODE: 'mtls', ...files, TLS_CA: '' },
    'TLS_CA is missing: it wants the file with the authorities to trust',
  ],
  [
    { TLS_MODE: 'mtls', ...files, AUTH_PEERS: 'canary' },
    'AUTH_PEERS is not valid: it wants spiffe://domain/path=scope scope, further ones after a semicolon',
  ],
  [
    { TLS_MODE: 'tls', ...files, AUTH_PEERS: 'spiffe://acme.example/orders=inventory:read' },
    'AUTH_PEERS is not valid: it wants TLS_MODE=mtls',
  ],
])('ensure %j is refused by the name of its variable', (variables, complaint) => {
  expect(() => read(variables)).toThrow(new EnvironmentError(complaint));
});
