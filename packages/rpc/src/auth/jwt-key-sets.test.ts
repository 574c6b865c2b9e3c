import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, test } from 'vitest';
import { Code } from '../errors.ts';
import { rejectionOf } from '../testing/rejection-of.ts';
import { audience, issuer, makeSigningKeys } from '../testing/signing-keys.ts';
import { createJwtVerifier, type JwtOptions } from './jwt.ts';

const verifierFor = ({ jwks }: { jwks: string }, options: Partial<JwtOptions> = {}) =>
  createJwtVerifier({ jwks, issuer, audience, developmentKeys: false, now: Date.now, ...options });

describe('development keys', () => {
  test('ensure a key set that holds one is refused where they are not allowed', async () => {
    await using keys = await makeSigningKeys('dev-1');
    await expect(verifierFor(keys)).rejects.toThrow('holds a development key');
  });

  test('ensure they are good where they are allowed', async () => {
    await using keys = await makeSigningKeys('dev-1');
    const verify = await verifierFor(keys, { developmentKeys: true });
    await verify(await keys.sign());
  });

  test('ensure a token signed with one that is served by URL is refused where they are not allowed', async () => {
    await using keys = await makeSigningKeys('dev-1');
    await using web = await serve(200, { keys: [keys.publicKey] });
    const verify = await verifierFor({ jwks: web.url });
    for (const token of [await keys.sign(), await keys.sign({}, { kid: undefined })])
      expect(await rejectionOf(verify(token))).toMatchObject({ code: Code.UNAUTHENTICATED });
    const lenient = await verifierFor({ jwks: web.url }, { developmentKeys: true });
    await lenient(await keys.sign());
  });
});

describe('the key set', () => {
  test.each([
    ['a file that is missing', '/nowhere/jwks.json'],
    ['a file that is no JSON', import.meta.filename],
    ['a file that is no key set', new URL('../../package.json', import.meta.url).pathname],
    ['a URL that is neither encrypted nor on this machine', 'http://127.0.0.1.evil.test/jwks.json'],
  ])('ensure %s is refused by its name', async (_name, jwks) => {
    await expect(verifierFor({ jwks })).rejects.toThrow(`no JWK Set can be read from ${jwks}`);
  });

  test('ensure keys that are served by URL are used', async () => {
    await using keys = await makeSigningKeys();
    await using web = await serve(200, { keys: [keys.publicKey] });
    const verify = await verifierFor({ jwks: web.url });
    expect(await verify(await keys.sign())).toMatchObject({ subject: 'anna' });
  });

  test.each([
    ['answers 500', 500],
    ['answers 404', 404],
    ['answers no key set', 200],
  ])('ensure a token is answered UNAVAILABLE, not refused, when the URL %s', async (_name, status) => {
    await using keys = await makeSigningKeys();
    await using web = await serve(status, { error: 'down' });
    const verify = await verifierFor({ jwks: web.url });
    expect(await rejectionOf(verify(await keys.sign()))).toMatchObject({ code: Code.UNAVAILABLE });
  });

  test('ensure a token is answered UNAVAILABLE, not refused, when nobody listens at the URL', async () => {
    await using keys = await makeSigningKeys();
    const web = await serve(200, {});
    await web[Symbol.asyncDispose]();
    const verify = await verifierFor({ jwks: web.url });
    expect(await rejectionOf(verify(await keys.sign()))).toMatchObject({ code: Code.UNAVAILABLE });
  });
});

/** A web server that answers everything with this. */
async function serve(status: number, body: unknown) {
  const server = createServer((_request, response) => {
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/jwks.json`,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await server[Symbol.asyncDispose]();
    },
  };
}
