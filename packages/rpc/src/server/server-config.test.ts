import { expect, test } from 'vitest';
import { EnvironmentError, readEnvironment } from '../config/environment.ts';
import { type ReadServerConfigOptions, readServerConfig } from './server-config.ts';

const required = {
  NODE_ENV: 'development',
  AUTH_JWKS: '/jwks.json',
  AUTH_ISSUER: 'https://issuer.test',
  AUTH_AUDIENCE: 'echo',
};
const files = { TLS_CERT: '/echo.crt', TLS_KEY: '/echo.key', TLS_CA: '/ca.crt' };

function read(variables: Record<string, string | undefined>, options?: ReadServerConfigOptions) {
  const environment = readEnvironment({ ...required, ...variables });
  const config = readServerConfig(environment, '0.0.0.0:50051', options);
  environment.check();
  return config;
}

test('by default a service uses plain text and trusts no certificate', () => {
  expect(read({})).toMatchObject({ tls: undefined, peers: new Map() });
  expect(read({ TLS_MODE: 'off', ...files }).tls).toBe(undefined);
});

test('TLS requires its files, but the authorities only for mTLS', () => {
  const [certFile, keyFile, caFile] = ['/echo.crt', '/echo.key', '/ca.crt'];
  expect(read({ TLS_MODE: 'mtls', ...files }).tls).toEqual({ mode: 'mtls', certFile, keyFile, caFile });
  expect(read({ TLS_MODE: 'tls', ...files }).tls).toEqual({ mode: 'tls', certFile, keyFile, caFile });
  expect(read({ TLS_MODE: 'tls', ...files, TLS_CA: '' }).tls).toMatchObject({ caFile: undefined });
});

test('services without tokens are read with their scopes', () => {
  const AUTH_PEERS = 'spiffe://acme.example/caller=echo:write echo:read';
  expect(read({ TLS_MODE: 'mtls', ...files, AUTH_PEERS }).peers).toEqual(
    new Map([['spiffe://acme.example/caller', new Set(['echo:write', 'echo:read'])]]),
  );
});

test("the tolerance for the issuer's clock is five seconds by default", () => {
  expect(read({}).auth?.clockToleranceSeconds).toBe(5);
  expect(read({ AUTH_CLOCK_TOLERANCE_SECONDS: '0' }).auth?.clockToleranceSeconds).toBe(0);
  expect(read({ AUTH_CLOCK_TOLERANCE_SECONDS: '60' }).auth?.clockToleranceSeconds).toBe(60);
});

const withoutTokens = { AUTH_JWKS: undefined, AUTH_ISSUER: undefined, AUTH_AUDIENCE: undefined };

test('a server without token settings is rejected, with their names', () => {
  expect(() => read(withoutTokens)).toThrow(
    /AUTH_JWKS is missing.*; AUTH_ISSUER is missing.*; AUTH_AUDIENCE is missing/,
  );
});

test('a server of anonymous methods may have no token settings, but not some of them', () => {
  const optional = { auth: 'optional' } as const;
  expect(read(withoutTokens, optional).auth).toBe(undefined);
  expect(read({}, optional).auth).toMatchObject({ issuer: 'https://issuer.test', audience: 'echo' });
  expect(() => read({ ...withoutTokens, AUTH_AUDIENCE: 'echo' }, optional)).toThrow(
    /AUTH_JWKS is missing.*; AUTH_ISSUER is missing/,
  );
});

test('by default only the trace context of peers is continued', () => {
  expect(read({}).traceContext).toBe('peers');
  expect(read({ TRACE_CONTEXT: 'all' }).traceContext).toBe('all');
});

test('an absent or empty NODE_ENV is production, and only development and test are not', () => {
  const tls = { TLS_MODE: 'tls', ...files };
  expect(read({ ...tls, NODE_ENV: undefined }).production).toBe(true);
  expect(read({ ...tls, NODE_ENV: '' }).production).toBe(true);
  expect(read({ ...tls, NODE_ENV: 'production' }).production).toBe(true);
  expect(read({ NODE_ENV: 'development' }).production).toBe(false);
  expect(read({ NODE_ENV: 'test' }).production).toBe(false);
});

test.each(['prod', 'Production', 'PRODUCTION', ' production ', 'dev', 'staging', 'development\n', 'true'])(
  'NODE_ENV=%j is rejected',
  (NODE_ENV) => {
    expect(() => read({ TLS_MODE: 'tls', ...files, NODE_ENV })).toThrow(
      new EnvironmentError('NODE_ENV is not valid: expected one of development, test, production'),
    );
  },
);

const plainTextRejected = (address: string) =>
  new EnvironmentError(
    `TLS_MODE is not valid (TLS is off on ${address}, which other machines reach): expected tls or mtls, ` +
      'a loopback LISTEN_ADDRESS, or ALLOW_PLAINTEXT_LISTEN=true (NODE_ENV is production unless it is set)',
  );

test.each(['0.0.0.0:50051', '[::]:50051', '10.0.0.1:50051', 'echo:50051', '[fe80::1%eth0]:50051'])(
  'production does not listen on %s in plain text, unless a variable allows it',
  (LISTEN_ADDRESS) => {
    const production = { NODE_ENV: 'production', LISTEN_ADDRESS };
    expect(() => read(production)).toThrow(plainTextRejected(LISTEN_ADDRESS));
    expect(() => read({ ...production, TLS_MODE: 'off', ALLOW_PLAINTEXT_LISTEN: 'false' })).toThrow(
      plainTextRejected(LISTEN_ADDRESS),
    );
    expect(read({ ...production, ALLOW_PLAINTEXT_LISTEN: 'true' }).listenAddress).toBe(LISTEN_ADDRESS);
    expect(read({ ...production, TLS_MODE: 'tls', ...files }).listenAddress).toBe(LISTEN_ADDRESS);
    expect(read({ ...production, NODE_ENV: 'development' }).listenAddress).toBe(LISTEN_ADDRESS);
  },
);

test('production does not listen on the default address in plain text', () => {
  expect(() => read({ NODE_ENV: undefined })).toThrow(plainTextRejected('0.0.0.0:50051'));
});

test.each(['127.0.0.1:50051', 'localhost:0', '[::1]:50051', 'unix:/run/echo.sock'])(
  'production listens on %s in plain text, because no other machine reaches it',
  (LISTEN_ADDRESS) => {
    expect(read({ NODE_ENV: 'production', LISTEN_ADDRESS })).toMatchObject({
      production: true,
      tls: undefined,
    });
  },
);

test.each([
  '/keys/jwks.json',
  'keys/jwks of echo.json',
  'https://issuer.test/jwks',
  'http://localhost:8080/jwks',
])('the keys may be at %s', (AUTH_JWKS) => {
  expect(read({ AUTH_JWKS }).auth?.jwks).toBe(AUTH_JWKS);
});

test.each<[Record<string, string>, string]>([
  [
    { LISTEN_ADDRESS: '127.0.0.1' },
    'LISTEN_ADDRESS is not valid (the port is missing): expected host:port, [ipv6]:port or unix:/path',
  ],
  [
    { AUTH_JWKS: 'http://issuer.test/jwks' },
    'AUTH_JWKS is not valid (plain http from another machine, where a key could be replaced on the way): ' +
      'expected the file or the https URL of a JWK Set',
  ],
  [
    { AUTH_JWKS: 'ftp://issuer.test/jwks' },
    'AUTH_JWKS is not valid (a URL of another scheme than https://): expected the file or the https URL of a JWK Set',
  ],
  [
    { AUTH_JWKS: 'https://:x' },
    'AUTH_JWKS is not valid (the URL is malformed): expected the file or the https URL of a JWK Set',
  ],
  [
    { AUTH_JWKS: 'https://canary:canary@issuer.test/jwks' },
    'AUTH_JWKS is not valid (a URL with a user or a password): expected the file or the https URL of a JWK Set',
  ],
  [
    { AUTH_JWKS: 'http://localhost:canary@issuer.test/jwks' },
    'AUTH_JWKS is not valid (a URL with a user or a password): expected the file or the https URL of a JWK Set',
  ],
  [
    { AUTH_ISSUER: 'https://issuer.test https://other.test' },
    "AUTH_ISSUER is not valid (it contains a space): expected the tokens' issuer (iss)",
  ],
  [
    { AUTH_AUDIENCE: 'echo ping' },
    "AUTH_AUDIENCE is not valid (it contains a space): expected this service's own name in tokens (aud)",
  ],
  [{ AUTH_AUDIENCE: ' ' }, "AUTH_AUDIENCE is missing: expected this service's own name in tokens (aud)"],
  [{ DRAIN_TIMEOUT_MS: '1e3' }, 'DRAIN_TIMEOUT_MS is not valid: expected a whole number from 0 to 600000'],
  [{ ALLOW_PLAINTEXT_LISTEN: 'yes' }, 'ALLOW_PLAINTEXT_LISTEN is not valid: expected one of true, false'],
  [{ TRACE_CONTEXT: 'ignore' }, 'TRACE_CONTEXT is not valid: expected one of peers, all'],
  [
    { AUTH_CLOCK_TOLERANCE_SECONDS: '61' },
    'AUTH_CLOCK_TOLERANCE_SECONDS is not valid: expected a whole number from 0 to 60',
  ],
  [{ TLS_MODE: 'on' }, 'TLS_MODE is not valid: expected one of off, tls, mtls'],
  [
    { TLS_MODE: 'tls' },
    "TLS_CERT is missing: expected the file with this service's certificate; " +
      "TLS_KEY is missing: expected the file with that certificate's key",
  ],
  [
    { TLS_MODE: 'mtls', ...files, TLS_CA: '' },
    'TLS_CA is missing: expected the file with the authorities to trust',
  ],
  [
    { TLS_MODE: 'mtls', ...files, AUTH_PEERS: 'canary' },
    'AUTH_PEERS is not valid: expected spiffe://domain/path=scope scope, separated by semicolons',
  ],
  [
    { TLS_MODE: 'tls', ...files, AUTH_PEERS: 'spiffe://acme.example/caller=echo:read' },
    'AUTH_PEERS is not valid (without mTLS no caller presents a certificate): expected TLS_MODE=mtls',
  ],
])('%j is rejected with the name of the variable', (variables, complaint) => {
  expect(() => read(variables)).toThrow(new EnvironmentError(complaint));
});

test('the web port is off by default, and is read with its origins', () => {
  expect(read({}).web).toBe(undefined);
  const WEB_ORIGINS = 'https://app.example.com, http://localhost:3000';
  expect(read({ WEB_LISTEN_ADDRESS: '127.0.0.1:8051', WEB_ORIGINS }).web).toEqual({
    address: '127.0.0.1:8051',
    origins: ['https://app.example.com', 'http://localhost:3000'],
  });
  expect(read({ WEB_LISTEN_ADDRESS: '127.0.0.1:8051', WEB_ORIGINS: '*' }).web?.origins).toEqual(['*']);
});

test.each([
  ['https://app.example.com/', /WEB_ORIGINS is not valid: expected exact origins/],
  ['app.example.com', /WEB_ORIGINS is not valid: expected exact origins/],
  ['https://*.example.com/x', /WEB_ORIGINS is not valid: expected exact origins/],
  [
    'https://*.example.com',
    /WEB_ORIGINS is not valid: expected exact origins, comma-separated, without wildcards/,
  ],
])('%s is rejected as an origin', (WEB_ORIGINS, problem) => {
  expect(() => read({ WEB_LISTEN_ADDRESS: '127.0.0.1:8051', WEB_ORIGINS })).toThrow(problem);
});

test('production permits no star as an origin, and no web port in plain text that other machines reach', () => {
  const production = { NODE_ENV: 'production', TLS_MODE: 'tls', ...files };
  expect(() => read({ ...production, WEB_LISTEN_ADDRESS: '0.0.0.0:8051', WEB_ORIGINS: '*' })).toThrow(
    /WEB_ORIGINS is not valid \(\* lets the scripts of every website call\): expected exact origins/,
  );
  const plain = { NODE_ENV: 'production', LISTEN_ADDRESS: '127.0.0.1:1' };
  expect(() => read({ ...plain, WEB_LISTEN_ADDRESS: '0.0.0.0:8051' })).toThrow(
    /a loopback WEB_LISTEN_ADDRESS/,
  );
  expect(read({ ...plain, WEB_LISTEN_ADDRESS: '127.0.0.1:8051' }).web?.address).toBe('127.0.0.1:8051');
});

test('a malformed web address, and origins without a web port, are rejected', () => {
  expect(() => read({ WEB_LISTEN_ADDRESS: '8051' })).toThrow(
    /WEB_LISTEN_ADDRESS is not valid \(the port is missing\)/,
  );
  expect(() => read({ WEB_ORIGINS: '*' })).toThrow(/WEB_ORIGINS is not valid \(there is no web port\)/);
});
