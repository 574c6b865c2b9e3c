import type { JWTPayload } from 'jose';
import { describe, expect, test } from 'vitest';
import { principalOf, requireAccessTokenType } from './token-claims.ts';

const nowS = 1_800_000_000;
const good = { sub: 'anna', exp: nowS + 300 };

describe('typ', () => {
  test.each([undefined, 'JWT', 'jwt', 'at+jwt', 'AT+JWT', 'application/at+jwt', 'Application/JWT'])(
    '%j is that of an access token',
    (typ) => requireAccessTokenType(typ),
  );

  test.each([
    '',
    'logout+jwt',
    'id+jwt',
    'JWS',
    'application/',
    'application/application/jwt',
    'jwt ',
    1,
    null,
    {},
    ['JWT'],
  ])('%j is rejected', (typ) => {
    expect(() => requireAccessTokenType(typ)).toThrow('typ');
  });
});

describe('sub', () => {
  test.each([
    'a',
    'x'.repeat(256),
    '🛒'.repeat(128),
    'auth0|5f7c',
    'Zoë O’Brien',
    'spiffe://acme.example/caller',
  ])('%j is the subject', (sub) => {
    expect(principalOf({ ...good, sub }).subject).toBe(sub);
  });

  test.each<unknown>([
    undefined,
    null,
    '',
    '   ',
    17,
    0,
    true,
    {},
    { toString: 'anna' },
    ['anna'],
    'a\0b',
    'a\nb',
    'a\u007fb',
    'a\u0085b',
    'a\u2028b',
    'a\ud800b',
    '\udc00',
    'x'.repeat(257),
    'x'.repeat(3000),
  ])('%j is rejected', (sub) => {
    expect(() => principalOf({ ...good, sub } as JWTPayload)).toThrow('sub is not printable text');
  });
});

describe('dates', () => {
  test('exp may have a fraction, and is the expiry of the principal', () => {
    expect(principalOf({ ...good, exp: nowS + 0.5 }).expiresAtMs).toBe((nowS + 0.5) * 1000);
  });

  const noDates = [
    null,
    '1800000300',
    Number.NaN,
    1e308,
    Number.POSITIVE_INFINITY,
    -1,
    2 ** 53,
    nowS * 1000,
    {},
    true,
  ];
  test.each(['exp', 'nbf', 'iat'].flatMap((claim) => noDates.map((value) => [claim, value] as const)))(
    '%s %s is rejected',
    (claim, value) => {
      expect(() => principalOf({ ...good, [claim]: value })).toThrow(claim);
    },
  );
});

describe('scopes', () => {
  test.each<[Record<string, unknown>, string[]]>([
    [{}, []],
    [{ scope: '' }, []],
    [{ scope: [] }, []],
    [{ scope: ' a  b ' }, ['a', 'b']],
    [{ scope: ['a', 'b'] }, ['a', 'b']],
    [{ scp: 'a b' }, ['a', 'b']],
    [{ scp: ['a', 'b'] }, ['a', 'b']],
    [{ scope: 'a', scp: ['a', 'b'] }, ['a', 'b']],
    [
      { scope: Array.from({ length: 256 }, (_, index) => `s${index}`).join(' ') },
      Array.from({ length: 256 }, (_, index) => `s${index}`),
    ],
  ])('%j are read', (claims, scopes) => {
    expect([...principalOf({ ...good, ...claims }).scopes]).toEqual(scopes);
  });

  test.each<unknown>([
    null,
    1,
    true,
    {},
    { 'echo:read': true },
    [1],
    ['a', null],
    [['a']],
    ['a b'],
    [''],
    'a\tb',
    'a"b',
    'é',
    Array.from({ length: 257 }, (_, index) => `s${index}`),
  ])('%j is rejected, as scope and as scp', (value) => {
    for (const claim of ['scope', 'scp'])
      expect(() => principalOf({ ...good, [claim]: value })).toThrow('scope');
  });
});
