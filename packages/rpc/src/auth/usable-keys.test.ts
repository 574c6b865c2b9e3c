import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { expect, test } from 'vitest';
import { usableKeys } from './usable-keys.ts';

const jwkOf = ({ publicKey }: { publicKey: KeyObject }) => publicKey.export({ format: 'jwk' });
const rsaJwk = (modulusLength: number, publicExponent = 65_537) =>
  jwkOf(generateKeyPairSync('rsa', { modulusLength, publicExponent }));
const privateJwk = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ format: 'jwk' });
const p256 = jwkOf(generateKeyPairSync('ec', { namedCurve: 'P-256' }));
const p384 = jwkOf(generateKeyPairSync('ec', { namedCurve: 'P-384' }));
const ed25519 = jwkOf(generateKeyPairSync('ed25519'));
const rsa = rsaJwk(2048);

const options = { developmentKeys: false };
const select = (...keys: unknown[]) => usableKeys(JSON.stringify({ keys }), options);

test.each<[string, object]>([
  ['RSA of 2048 bits', { ...rsa, kid: 'a' }],
  ['RSA of 2048 bits for PS256', { ...rsa, kid: 'a', alg: 'PS256', use: 'sig' }],
  ['P-256', { ...p256, alg: 'ES256', key_ops: ['verify'] }],
  ['P-384', p384],
  ['Ed25519', { ...ed25519, alg: 'EdDSA' }],
])('a key of %s is used', (_name, key) => {
  expect(select(key)).toEqual({ keys: [key], problems: [], hasRejectedDevelopmentKey: false });
});

test('members that verification does not need are removed', () => {
  const key = { ...p256, kid: 'a' };
  expect(select({ ...key, x5u: 'https://evil.test/', x5c: ['MII'], other: 1 }).keys).toEqual([key]);
});

test.each<[string, unknown, string]>([
  ['a symmetric key', { kty: 'oct', k: 'c2VjcmV0', kid: 'a' }, 'key "a" is symmetric'],
  ['a private EC key', { ...privateJwk, kid: 'a' }, 'key "a" is a private key'],
  ['RSA with a prime', { ...rsa, p: 'AQ' }, 'is a private key'],
  ['RSA of 1024 bits', rsaJwk(1024), 'has 1024 bits, outside of 2048 to 8192'],
  ['RSA with the exponent 1', { ...rsa, e: 'AQ' }, 'has a public exponent below 3'],
  ['P-521', jwkOf(generateKeyPairSync('ec', { namedCurve: 'P-521' })), 'is not an RSA, P-256'],
  ['RSA for encryption by its alg', { ...rsa, alg: 'RSA-OAEP' }, 'has another alg than RS256 or PS256'],
  ['P-256 with the alg of RSA', { ...p256, alg: 'RS256' }, 'has another alg than ES256'],
  ['an alg that is not a string', { ...p256, alg: { toString: 1 } }, 'has another alg than ES256'],
  ['a use that is unknown', { ...p256, use: 'tls' }, 'has a use other than sig'],
  ['key_ops without verify', { ...p256, key_ops: ['sign'] }, 'has key_ops without verify'],
  ['a kid that is a number', { ...p256, kid: 7 }, 'key 1 has a kid that is not a string'],
  ['a point that is not on the curve', { ...p256, y: p256.x }, 'cannot be parsed'],
  ['a development key', { ...p256, kid: 'dev-1' }, 'is a development key'],
  ['no kty', {}, 'is not an RSA'],
  ['null', null, 'key 1 is not an object'],
])('%s is ignored with a reason, and the valid key beside it is used', (_name, key, reason) => {
  const good = { ...ed25519, kid: 'good' };
  const { keys, problems } = select(key, good);
  expect(keys).toEqual([good]);
  expect(problems).toEqual([expect.stringContaining(reason)]);
});

test('an encryption key is ignored without a reason', () => {
  expect(select({ ...rsa, use: 'enc', alg: 'RSA-OAEP' })).toMatchObject({ keys: [], problems: [] });
});

test('the first of two keys with one kid is used, and keys of different types may share a kid', () => {
  const first = { ...p256, kid: 'a' };
  const second = { ...jwkOf(generateKeyPairSync('ec', { namedCurve: 'P-256' })), kid: 'a' };
  const third = { ...ed25519, kid: 'a' };
  expect(select(first, second, third)).toMatchObject({
    keys: [first, third],
    problems: ['key "a" repeats a kid: the first key is used'],
  });
});

test('a long or ill-formed kid is shortened in the reason', () => {
  const [problem = ''] = select({ kty: 'oct', kid: `${'x'.repeat(63)}\ud800${'x'.repeat(100)}` }).problems;
  expect(problem.length).toBeLessThan(150);
  expect(problem.isWellFormed()).toBe(true);
});

test.each(['', '<html></html>', '[]', 'null', '{}', '{"keys":{}}', '{"keys":"a"}'])(
  '%j is not a JWK Set',
  (text) => {
    expect(() => usableKeys(text, options)).toThrow();
  },
);

test('a set of more than 100 keys is rejected', () => {
  expect(() => select(...Array(101).fill(p256))).toThrow('more than 100 keys');
});

test('an empty set is a set without keys', () => {
  expect(select()).toMatchObject({ keys: [], problems: [] });
});
