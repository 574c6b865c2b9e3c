import { createHmac } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { inspect } from 'node:util';
import fastCheck from 'fast-check';
import { describe, expect, onTestFinished, test } from 'vitest';
import { createClient } from '../client/create-client.ts';
import { Code } from '../errors/rpc-error.ts';
import { createLogger } from '../logging/logger.ts';
import {
  audience,
  createSigningKeys,
  goodClaims,
  issuer,
  type SigningKeys,
} from '../testing/certificates/signing-keys.ts';
import { EchoService } from '../testing/gen/testing/v1/echo_service_pb.ts';
import { rejectionOf } from '../testing/rejection-of.ts';
import { startTestServer } from '../testing/start-test-server.ts';
import { createJwtVerifier, type JwtOptions } from './jwt.ts';

/** A verifier that is closed at the end of the test. */
async function verifierFor({ jwks }: { jwks: string }, options: Partial<JwtOptions> = {}) {
  const verifier = await createJwtVerifier({
    jwks,
    issuer,
    audience,
    clockToleranceSeconds: 5,
    developmentKeys: false,
    now: Date.now,
    log: createLogger({ service: 'test', level: 'silent' }),
    ...options,
  });
  onTestFinished(verifier.close);
  return verifier;
}

const nowS = () => Math.floor(Date.now() / 1000);
const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');

test('a valid token has a subject and scopes', async () => {
  await using keys = await createSigningKeys();
  const { verify } = await verifierFor(keys);
  const exp = nowS() + 60;
  const token = await keys.sign({ scope: 'echo:read  echo:write', aud: ['other', audience], exp });
  expect(await verify(token)).toEqual({
    subject: 'anna',
    scopes: new Set(['echo:read', 'echo:write']),
    expiresAtMs: exp * 1000,
  });
});

type Forge = (keys: SigningKeys) => string | Promise<string>;
const badTokens: Record<string, Forge> = {
  garbage: () => 'garbage',
  'three parts of garbage': () => 'a.b.c',
  'one that has expired': (keys) => keys.sign({ exp: nowS() - 10 }),
  'one without an expiry': (keys) => keys.sign({ exp: undefined }),
  'one that is not yet valid': (keys) => keys.sign({ nbf: nowS() + 60 }),
  'one of another type': (keys) => keys.sign({}, { typ: 'logout+jwt' }),
  'one of another issuer': (keys) => keys.sign({ iss: 'https://evil.test' }),
  'one for another audience': (keys) => keys.sign({ aud: 'ping' }),
  'one without an audience': (keys) => keys.sign({ aud: undefined }),
  'one without a subject': (keys) => keys.sign({ sub: undefined }),
  'one whose claims were altered': async (keys) => {
    const [header, , signature] = (await keys.sign()).split('.');
    return `${header}.${part({ ...goodClaims(), sub: 'root' })}.${signature}`;
  },
  'one signed with another key of the same id': async () => {
    await using others = await createSigningKeys();
    return await others.sign();
  },
  'one with an unknown kid': (keys) => keys.sign({}, { kid: 'key-2' }),
  'one that names a key set of its own (jku)': async () => {
    await using others = await createSigningKeys('key-2');
    return await others.sign({}, { jku: 'https://evil.test/jwks.json' });
  },
  'one that brings its own key (jwk)': async () => {
    await using others = await createSigningKeys();
    return await others.sign({}, { jwk: others.publicKey });
  },
  'one with alg none': () => `${part({ alg: 'none', kid: 'key-1' })}.${part(goodClaims())}.`,
  'one signed with HS256 and the public key as the secret': (keys) => {
    const signed = `${part({ alg: 'HS256', kid: 'key-1' })}.${part(goodClaims())}`;
    const mac = createHmac('sha256', JSON.stringify(keys.publicKey)).update(signed).digest('base64url');
    return `${signed}.${mac}`;
  },
};

test.each(Object.entries(badTokens))('%s is UNAUTHENTICATED, without the reason', async (_name, forge) => {
  await using keys = await createSigningKeys();
  await using server = await startTestServer(
    EchoService,
    { getEcho: async () => ({}) },
    { verifyToken: (await verifierFor(keys)).verify },
  );
  const token = await forge(keys);
  using client = createClient(EchoService, { target: server.target, token: () => token });
  const error = await rejectionOf(client.getEcho({ key: 'A' }));
  expect(error).toMatchObject({
    code: Code.UNAUTHENTICATED,
    message: 'the token is not valid',
    details: [],
  });
  using honest = createClient(EchoService, { target: server.target, token: () => keys.sign() });
  await honest.getEcho({ key: 'A' });
});

test('a token signed by a known key with an algorithm that is not accepted is rejected', async () => {
  await using keys = await createSigningKeys();
  await using others = await createSigningKeys('key-2', 'ES512');
  await writeFile(keys.jwks, JSON.stringify({ keys: [keys.publicKey, others.publicKey] }));
  const { verify } = await verifierFor(keys);
  expect(await rejectionOf(verify(await others.sign()))).toMatchObject({ code: Code.UNAUTHENTICATED });
});

test('any text is rejected as a token', async () => {
  await using keys = await createSigningKeys();
  const { verify } = await verifierFor(keys);
  const header = fastCheck.oneof(fastCheck.json(), fastCheck.constant('{"alg":"ES256","kid":"key-1"}'));
  const tokens = fastCheck.oneof(
    fastCheck.string(),
    fastCheck
      .tuple(header, fastCheck.json(), fastCheck.string())
      .map((parts) => parts.map((text) => Buffer.from(text).toString('base64url')).join('.')),
  );
  await fastCheck.assert(
    fastCheck.asyncProperty(tokens, async (token) => {
      expect(await rejectionOf(verify(token))).toMatchObject({ code: Code.UNAUTHENTICATED });
    }),
  );
});

test('a verified token is cached until it expires, with the tolerance', async () => {
  await using keys = await createSigningKeys();
  let nowMs = Date.now();
  const verifier = await verifierFor(keys, { now: () => nowMs });
  const expiresAtS = nowS() + 60;
  const token = await keys.sign({ exp: expiresAtS });
  expect(verifier.cached(token)).toBeUndefined();
  const principal = await verifier.verify(token);
  nowMs = expiresAtS * 1000 + 4_999;
  expect(verifier.cached(token)).toBe(principal);
  nowMs += 1;
  expect(verifier.cached(token)).toBeUndefined();
  expect(await rejectionOf(verifier.verify(token))).toMatchObject({ code: Code.UNAUTHENTICATED });
});

test('a verified token is verified again after five minutes, and after the clock is set back', async () => {
  await using keys = await createSigningKeys();
  let nowMs = Date.now();
  const { cached, verify } = await verifierFor(keys, { now: () => nowMs });
  const token = await keys.sign({ exp: nowS() + 3600 });
  const principal = await verify(token);
  nowMs += 299_999;
  expect(cached(token)).toBe(principal);
  nowMs += 1;
  expect(cached(token)).toBeUndefined();
  await verify(token);
  nowMs -= 1_000;
  expect(cached(token)).toBeUndefined();
});

test('calls that arrive together with one token wait for one verification', async () => {
  await using keys = await createSigningKeys();
  const { verify } = await verifierFor(keys);
  const token = await keys.sign();
  const [first, second] = await Promise.all([verify(token), verify(token)]);
  expect(second).toBe(first);
});

test('a valid token of more than 8 KiB is rejected', async () => {
  await using keys = await createSigningKeys();
  const { cached, verify } = await verifierFor(keys);
  const long = await keys.sign({ padding: 'x'.repeat(8 * 1024) });
  expect(await rejectionOf(verify(long))).toMatchObject({ code: Code.UNAUTHENTICATED });
  expect(cached(long)).toBeUndefined();
  await verify(await keys.sign({ padding: 'x'.repeat(5 * 1024) }));
});

test('the cause of a rejection contains no part of the token', async () => {
  await using keys = await createSigningKeys();
  const { verify } = await verifierFor(keys);
  const secret = 'canary-5d1f';
  for (const token of [
    secret,
    `${part(secret)}.${part({})}.x`,
    await keys.sign({ sub: `${secret}\0` }),
    await keys.sign({ aud: secret }),
    await keys.sign({ scope: { [secret]: true } }),
    await keys.sign({}, { kid: secret }),
    await keys.sign({}, { typ: secret }),
  ])
    expect(inspect(await rejectionOf(verify(token)), { depth: 10 })).not.toContain(secret);
});

describe('the clock of the issuer', () => {
  test.each<[string, number, (nowS: number) => Record<string, unknown>]>([
    ['nbf four seconds ahead', 5, (nowS) => ({ nbf: nowS + 4 })],
    ['iat an hour ahead', 5, (nowS) => ({ iat: nowS + 3600 })],
    ['exp four seconds ago', 5, (nowS) => ({ exp: nowS - 4 })],
    ['nbf with a fraction', 5, (nowS) => ({ nbf: nowS - 0.5 })],
    ['nbf 50 seconds ahead with a tolerance of a minute', 60, (nowS) => ({ nbf: nowS + 50 })],
  ])('%s is tolerated', async (_name, clockToleranceSeconds, claims) => {
    await using keys = await createSigningKeys();
    const nowMs = Date.now();
    const { verify } = await verifierFor(keys, { clockToleranceSeconds, now: () => nowMs });
    expect(await verify(await keys.sign(claims(nowMs / 1000)))).toMatchObject({ subject: 'anna' });
  });

  test.each<[string, number, (nowS: number) => Record<string, unknown>]>([
    ['nbf seven seconds ahead', 5, (nowS) => ({ nbf: nowS + 7 })],
    ['exp seven seconds ago', 5, (nowS) => ({ exp: nowS - 7 })],
    ['nbf two seconds ahead without tolerance', 0, (nowS) => ({ nbf: nowS + 2 })],
  ])('%s is rejected', async (_name, clockToleranceSeconds, claims) => {
    await using keys = await createSigningKeys();
    const nowMs = Date.now();
    const { verify } = await verifierFor(keys, { clockToleranceSeconds, now: () => nowMs });
    const token = await keys.sign(claims(nowMs / 1000));
    expect(await rejectionOf(verify(token))).toMatchObject({ code: Code.UNAUTHENTICATED });
  });
});
