import { randomUUID } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { developmentKeyPrefix } from '@acme/rpc/auth/usable-keys';
import { exportJWK, generateKeyPair, importJWK, type JWK, SignJWT } from 'jose';

/** The `iss` of development tokens. Their `aud` is the name of the one service that accepts them. */
export const developmentIssuer = 'https://saturday.invalid/development';

export interface DevelopmentKeys {
  /** The public key, as `AUTH_JWKS` wants it. */
  readonly jwksFile: string;
  sign(claims: {
    audience: string;
    subject: string;
    scopes: readonly string[];
    ttlSeconds: number;
  }): Promise<string>;
}

/**
 * Returns the service that scopes are of: `orders` for `orders:read`, and for `orders:read orders:write:any`.
 *
 * @throws Error when the scopes are of several services: a token for both could be replayed by one at the other.
 */
export function audienceOf(scopes: readonly string[]): string {
  const [audience = '', ...others] = new Set(scopes.map((scope) => scope.replace(/:.*/, '')));
  if (others.length > 0)
    throw new Error(
      `a token is for one service, and these scopes are of ${[audience, ...others].join(', ')}`,
    );
  return audience;
}

/** Opens the signing key of a data folder, and makes it when it is not there. Production refuses its tokens. */
export async function openDevelopmentKeys(dataFolder: string): Promise<DevelopmentKeys> {
  const folder = join(dataFolder, 'keys');
  const privateFile = join(folder, 'private.jwk.json');
  const jwksFile = join(folder, 'jwks.json');
  await mkdir(folder, { recursive: true });
  const jwk = (await readKey(privateFile)) ?? (await makeKey(privateFile));
  const { d: _secret, ...publicJwk } = jwk;
  const jwks = JSON.stringify({ keys: [publicJwk] });
  // Those who only sign may have a folder that they cannot write to.
  if ((await readFile(jwksFile, 'utf8').catch(() => '')) !== jwks) await writeWhole(jwksFile, jwks, 0o644);
  const key = await importJWK(jwk, 'ES256');
  return {
    jwksFile,
    sign: ({ audience, subject, scopes, ttlSeconds }) =>
      new SignJWT({ scope: scopes.join(' ') })
        .setProtectedHeader({ alg: 'ES256', kid: jwk.kid ?? '', typ: 'at+jwt' })
        .setIssuer(developmentIssuer)
        .setAudience(audience)
        .setSubject(subject)
        .setIssuedAt()
        .setExpirationTime(`${ttlSeconds} s`)
        .sign(key),
  };
}

async function readKey(file: string): Promise<JWK | undefined> {
  try {
    return JSON.parse(await readFile(file, 'utf8'));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new Error(`the development key in ${file} cannot be read: remove it and it is made anew`, {
      cause: error,
    });
  }
}

async function makeKey(file: string): Promise<JWK> {
  const { privateKey } = await generateKeyPair('ES256', { extractable: true });
  const jwk = {
    ...(await exportJWK(privateKey)),
    kid: `${developmentKeyPrefix}${randomUUID()}`,
    alg: 'ES256',
  };
  await writeWhole(file, JSON.stringify(jwk), 0o600);
  return jwk;
}

/** Writes a file so that nobody ever reads half of it. */
export async function writeWhole(file: string, text: string, mode: number): Promise<void> {
  const temporary = `${file}.${process.pid}`;
  await writeFile(temporary, text, { mode });
  await rename(temporary, file);
}
