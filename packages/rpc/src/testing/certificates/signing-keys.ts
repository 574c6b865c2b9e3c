import { mkdtempDisposable, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { exportJWK, generateKeyPair, type JWK, SignJWT } from 'jose';

/** An issuer of tokens, as an identity provider would be. */
export interface SigningKeys extends AsyncDisposable {
  /** The file with the JWK Set. */
  readonly jwks: string;
  readonly publicKey: JWK;
  /** A token that is signed as it should be; what is given replaces what it would claim. */
  sign(claims?: Record<string, unknown>, header?: Record<string, unknown>): Promise<string>;
}

export const issuer = 'https://issuer.test';
export const audience = 'echo';

/** What a good token claims. */
export function goodClaims() {
  const expiresInFiveMinutes = Math.floor(Date.now() / 1000) + 300;
  return { iss: issuer, aud: audience, sub: 'anna', exp: expiresInFiveMinutes, scope: 'echo:read' };
}

/** Makes a key pair whose public half is in a file of its own. Disposing it deletes the file. */
export async function makeSigningKeys(kid = 'key-1', alg = 'ES256'): Promise<SigningKeys> {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
  const jwk = { ...(await exportJWK(publicKey)), kid, alg, use: 'sig' };
  const folder = await mkdtempDisposable(join(tmpdir(), 'signing-keys-'));
  const jwks = join(folder.path, 'jwks.json');
  await writeFile(jwks, JSON.stringify({ keys: [jwk] }));
  return {
    jwks,
    publicKey: jwk,
    sign: (claims, header) =>
      new SignJWT({ ...goodClaims(), ...claims })
        .setProtectedHeader({ alg, kid, ...header })
        .sign(privateKey),
    [Symbol.asyncDispose]: () => folder.remove(),
  };
}
