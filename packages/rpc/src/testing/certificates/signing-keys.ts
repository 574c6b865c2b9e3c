import { mkdtempDisposable, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { exportJWK, generateKeyPair, type JWK, SignJWT } from 'jose';

/** A signing key of a token issuer. */
export interface SigningKeys extends AsyncDisposable {
  /** Path of the file with the JWK Set. */
  readonly jwks: string;
  readonly publicKey: JWK;
  /** Signs a valid token. `claims` and `header` replace its defaults. */
  sign(claims?: Record<string, unknown>, header?: Record<string, unknown>): Promise<string>;
}

export const issuer = 'https://issuer.test';
export const audience = 'echo';

/** Returns the claims of a valid token. */
export function goodClaims() {
  const expiresInFiveMinutes = Math.floor(Date.now() / 1000) + 300;
  return { iss: issuer, aud: audience, sub: 'anna', exp: expiresInFiveMinutes, scope: 'echo:read' };
}

/** Creates a key pair and a file with its public key. Disposing deletes the file. */
export async function createSigningKeys(kid = 'key-1', alg = 'ES256'): Promise<SigningKeys> {
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
