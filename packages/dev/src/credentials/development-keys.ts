import { randomUUID } from 'node:crypto';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { JWK } from 'jose';
import { SignJWT } from 'jose/jwt/sign';
import { importJWK } from 'jose/key/import';
import { writeAtomically } from '../cli/write-atomically.ts';
import { projectName } from '../repository/project.ts';

/** The `iss` of development tokens. Their `aud` is the name of the service that accepts them. */
export const developmentIssuer = `https://${projectName}.invalid/development`;

export interface DevelopmentKeys {
  /** File of the public key, for `AUTH_JWKS`. */
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
 * @throws Error when the scopes are of several services: either could replay a token for both at the other.
 */
export function audienceOf(scopes: readonly string[]): string {
  const [audience = '', ...others] = new Set(scopes.map((scope) => scope.replace(/:.*/, '')));
  if (others.length > 0)
    throw new Error(
      `a token is for one service, and these scopes are of ${[audience, ...others].join(', ')}: choose one with --audience`,
    );
  return audience;
}

/** Opens the signing key of a data folder, and makes it if there is none. Production rejects its tokens. */
export async function openDevelopmentKeys(dataFolder: string): Promise<DevelopmentKeys> {
  const folder = join(dataFolder, 'keys');
  const privateFile = join(folder, 'private.jwk.json');
  const jwksFile = join(folder, 'jwks.json');
  await mkdir(folder, { recursive: true });
  const jwk = (await readKey(privateFile)) ?? (await makeKey(privateFile));
  const { d: _secret, ...publicJwk } = jwk;
  const jwks = JSON.stringify({ keys: [publicJwk] });
  // A command that only signs tokens may have a read-only folder.
  if ((await readFile(jwksFile, 'utf8').catch(() => '')) !== jwks)
    await writeAtomically(jwksFile, jwks, 0o644);
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
    throw new Error(`the development key in ${file} cannot be read: remove the file, and a new key is made`, {
      cause: error,
    });
  }
}

async function makeKey(file: string): Promise<JWK> {
  // Loaded to make a key only: they take longer to load than a call of a service takes.
  const [{ developmentKeyPrefix }, { exportJWK, generateKeyPair }] = await Promise.all([
    import('@acme/rpc/development'),
    import('jose'),
  ]);
  const { privateKey } = await generateKeyPair('ES256', { extractable: true });
  const jwk = {
    ...(await exportJWK(privateKey)),
    kid: `${developmentKeyPrefix}${randomUUID()}`,
    alg: 'ES256',
  };
  await writeAtomically(file, JSON.stringify(jwk), 0o600);
  return jwk;
}
