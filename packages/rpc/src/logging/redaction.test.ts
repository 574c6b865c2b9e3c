import fastCheck from 'fast-check';
import { expect, test } from 'vitest';
import { createLogger, type Logger } from './logger.ts';

const jwt = 'eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJhbm5hIn0.c2lnbmF0dXJlLWNhbmFyeQ';

function written(write: (log: Logger) => void): string {
  const lines: string[] = [];
  write(createLogger({ service: 'test', level: 'info' }, { write: (line) => lines.push(line) }));
  for (const line of lines) JSON.parse(line);
  expect(lines).not.toEqual([]);
  return lines.join('');
}

test.each([
  'authorization',
  'Authorization',
  'proxy-authorization',
  'password',
  'PGPASSWORD',
  'token',
  'access_token',
  'refreshToken',
  'x-api-key',
  'cookie',
  'Set-Cookie',
  'client_secret',
  'privateKey',
  'credentials',
])('a field named %s is not written, wherever it is', (name) => {
  const secret = { [name]: 'canary' };
  const text = written((log) => {
    log.info(secret, 'told');
    log.info({ [name]: { inner: ['canary'] } }, 'told');
    log.info({ headers: { request: [secret] } }, 'told');
    log.info({ err: new Error('a', { cause: secret }) }, 'told');
    log.info('text %j %o', secret, secret);
    log.child(secret).info('told');
    log.child({ deep: secret }).info('told');
    log.child({}).setBindings(secret);
  });
  expect(text).not.toContain('canary');
  expect(text).toContain('"[Redacted]"');
});

test.each([
  ['a JSON Web Token', jwt, 'c2lnbmF0dXJlLWNhbmFyeQ'],
  ['a JSON Web Token after a word', `token_${jwt}`, 'c2lnbmF0dXJlLWNhbmFyeQ'],
  ['a truncated JSON Web Token', jwt.slice(0, 30), jwt.slice(3, 30)],
  ['a bearer token', 'sent Bearer canary-123 to it', 'canary'],
  ['a bearer token in capitals', 'BEARER  canary-123', 'canary'],
  ['a bearer token in a URL', 'Bearer%20canary-123', 'canary'],
  ['basic credentials', 'Basic Y2FuYXJ5OmNhbmFyeQ==', 'Y2FuYXJ5OmNhbmFyeQ'],
  ['a password in a URL', 'postgres://user:canary@host:5432/db', 'canary'],
  ['a password with odd characters in a URL', 'postgres://user:ca"n/a\\ry@x@host/db', 'ry@'],
  ['a token in a URL', 'https://canary@host/', 'canary'],
  ['a connection string', 'host=a password=canary user=b', 'canary'],
  ['a query string', 'GET /x?access_token=canary&a=b', 'canary'],
  ['JSON', '{"password":"canary word","a":1}', 'canary'],
  ['JSON with spaces', '{ "api_key": "canary" }', 'canary'],
  ['an object as Node prints it', "{ clientSecret: 'canary' }", 'canary'],
  ['a setting with quotes', "password = 'canary'", 'canary'],
  ['a connection string with quotes', "host=a password='two canary' user=b", 'canary'],
  ['a private key', '-----BEGIN EC PRIVATE KEY-----\ncanary\ncanary\n-----END EC PRIVATE KEY-----', 'canary'],
  ['a header', 'authorization: Custom canary', 'canary'],
  ['a setting', 'password: canary', 'canary'],
])('%s in a text is not written', (_name, text, canary) => {
  const lines = written((log) => {
    log.info(text);
    log.info({ field: text }, 'told');
    log.info({ deep: { list: [text] } }, 'told');
    log.info({ err: new Error(text) }, 'told');
    log.info('text %s', text);
    log.child({ field: text }).info('told');
  });
  expect(lines).not.toContain(canary);
  expect(lines).toContain('[Redacted]');
});

test.each([
  'testing.v1.EchoService/GetEcho',
  'cannot listen on 127.0.0.1:50051: EADDRINUSE',
  'the token has expired',
  'invalid token: it has expired',
  'http://127.0.0.1:9464/metrics',
  'no token: send metadata `authorization: Bearer <token>`',
  'a survey of SurveyJobService',
])('%s contains no secret', (text) => {
  expect(written((log) => log.info({ field: text }, text))).toContain(`"field":"${text}","msg":"${text}"`);
});

test('a line is JSON whatever is redacted in it', () => {
  const fragments = [
    'eyJhbGciOiJ',
    'Bearer ',
    '://',
    '@',
    '"',
    '\\',
    "'",
    'token',
    '=',
    ': ',
    '\n',
    '%20',
    'x',
    '…',
  ];
  const text = fastCheck
    .array(fastCheck.constantFrom(...fragments), { maxLength: 12 })
    .map((each) => each.join(''));
  fastCheck.assert(
    fastCheck.property(text, text, (field, message) => {
      written((log) => log.info({ field, deep: { token: field, list: [message] } }, message));
    }),
  );
});

test('a crafted text takes no longer to search than any other', () => {
  const hostile = [
    'eyJ',
    '://',
    '://a:',
    'bearer ',
    'token=',
    "password:'",
    'cookie: ',
    '\\"',
    'authorization',
  ];
  const parts = hostile.map((each) => each.repeat(Math.ceil(1000 / each.length)));
  const startMs = performance.now();
  for (let round = 0; round < 10; round++)
    written((log) => log.info({ parts, mixed: hostile.join('').repeat(20) }, 'told'));
  // Milliseconds of work; a pattern that backtracks would take minutes.
  expect(performance.now() - startMs).toBeLessThan(10_000);
});
