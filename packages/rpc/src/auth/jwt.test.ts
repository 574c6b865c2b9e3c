import { createHmac } from 'node:crypto';
import { InventoryService } from '@acme/gen/inventory/v1/inventory_service_pb';
import fastCheck from 'fast-check';
import { expect, test } from 'vitest';
import { createClient } from '../client/create-client.ts';
import { Code } from '../errors.ts';
import { rejectionOf } from '../testing/rejection-of.ts';
import { audience, goodClaims, issuer, makeSigningKeys, type SigningKeys } from '../testing/signing-keys.ts';
import { startTestServer } from '../testing/start-test-server.ts';
import { createJwtVerifier, type JwtOptions } from './jwt.ts';

const verifierFor = ({ jwks }: { jwks: string }, options: Partial<JwtOptions> = {}) =>
  createJwtVerifier({ jwks, issuer, audience, developmentKeys: false, now: Date.now, ...options });

const nowS = () => Math.floor(Date.now() / 1000);
const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');

test('ensure a good token tells whose it is and what it may do', async () => {
  await using keys = await makeSigningKeys();
  const verify = await verifierFor(keys);
  const token = await keys.sign({ scope: 'inventory:read  inventory:write', aud: ['other', audience] });
  expect(await verify(token)).toEqual({
    subject: 'anna',
    scopes: new Set(['inventory:read', 'inventory:write']),
  });
});

type Forge = (keys: SigningKeys) => string | Promise<string>;
const badTokens: Record<string, Forge> = {
  garbage: () => 'garbage',
  'three parts of garbage': () => 'a.b.c',
  'one that has expired': (keys) => keys.sign({ exp: nowS() - 1 }),
  'one without an expiry': (keys) => keys.sign({ exp: undefined }),
  'one that is not yet valid': (keys) => keys.sign({ nbf: nowS() + 60 }),
  'one of another issuer': (keys) => keys.sign({ iss: 'https://evil.test' }),
  'one for another audience': (keys) => keys.sign({ aud: 'orders' }),
  'one without an audience': (keys) => keys.sign({ aud: undefined }),
  'one without a subject': (keys) => keys.sign({ sub: undefined }),
  'one whose claims were altered': async (keys) => {
    const [header, , signature] = (await keys.sign()).split('.');
    return `${header}.${part({ ...goodClaims(), sub: 'root' })}.${signature}`;
  },
  'one signed with another key of the same id': async () => {
    await using others = await makeSigningKeys();
    return await others.sign();
  },
  'one with an unknown kid': (keys) => keys.sign({}, { kid: 'key-2' }),
  'one that names a key set of its own (jku)': async () => {
    await using others = await makeSigningKeys('key-2');
    return await others.sign({}, { jku: 'https://evil.test/jwks.json' });
  },
  'one that brings its own key (jwk)': async () => {
    await using others = await makeSigningKeys();
    return await others.sign({}, { jwk: others.publicKey });
  },
  'one with alg none': () => `${part({ alg: 'none', kid: 'key-1' })}.${part(goodClaims())}.`,
  'one signed with HS256 and the public key as the secret': (keys) => {
    const signed = `${part({ alg: 'HS256', kid: 'key-1' })}.${part(goodClaims())}`;
    const mac = createHmac('sha256', JSON.stringify(keys.publicKey)).update(signed).digest('base64url');
    return `${signed}.${mac}`;
  },
};

test.each(Object.entries(badTokens))(
  'ensure %s is answered UNAUTHENTICATED, and the caller is not told why',
  async (_name, forge) => {
    await using keys = await makeSigningKeys();
    await using server = await startTestServer(
      InventoryService,
      { getStock: async () => ({}) },
      { verifyToken: await verifierFor(keys) },
    );
    const token = await forge(keys);
    using client = createClient(InventoryService, { target: server.target, token: () => token });
    const error = await rejectionOf(client.getStock({ sku: 'A' }));
    expect(error).toMatchObject({
      code: Code.UNAUTHENTICATED,
      message: 'the token is not valid',
      details: [],
    });
    using honest = createClient(InventoryService, { target: server.target, token: () => keys.sign() });
    await honest.getStock({ sku: 'A' });
  },
);

test('ensure a token signed by a known key with an algorithm that is not on the list is refused', async () => {
  await using keys = await makeSigningKeys('key-1', 'ES512');
  const verify = await verifierFor(keys);
  expect(await rejectionOf(verify(await keys.sign()))).toMatchObject({ code: Code.UNAUTHENTICATED });
});

test('ensure whatever is sent as a token is refused as one', async () => {
  await using keys = await makeSigningKeys();
  const verify = await verifierFor(keys);
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

test('ensure a remembered token is refused once it has expired', async () => {
  await using keys = await makeSigningKeys();
  let nowMs = Date.now();
  const verify = await verifierFor(keys, { now: () => nowMs });
  const expiresAtS = nowS() + 60;
  const token = await keys.sign({ exp: expiresAtS });
  const principal = await verify(token);
  nowMs = expiresAtS * 1000 - 1;
  expect(await verify(token)).toBe(principal); // the very same: it was remembered
  nowMs = expiresAtS * 1000;
  expect(await rejectionOf(verify(token))).toMatchObject({ code: Code.UNAUTHENTICATED });
});

test('ensure a token without scopes, or with scopes that are no text, may do nothing', async () => {
  await using keys = await makeSigningKeys();
  const verify = await verifierFor(keys);
  for (const scope of [undefined, '', ['inventory:read'], { 'inventory:read': true }])
    expect((await verify(await keys.sign({ scope }))).scopes).toEqual(new Set());
});
