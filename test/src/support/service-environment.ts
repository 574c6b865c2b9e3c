import { mkdtempDisposable, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { services } from '@acme/dev/repository';
import { createTestDatabase } from '@acme/postgres/testing';
import { audience, createSigningKeys, issuer, type SigningKeys } from '@acme/rpc/testing';

/** Environment of a service process, with its own database and keys, and any free port. */
export interface ServiceEnvironment extends AsyncDisposable {
  readonly keys: SigningKeys;
  readonly variables: Readonly<Record<'DATABASE_URL' | 'LISTEN_ADDRESS', string> & Record<string, string>>;
}

export async function makeServiceEnvironment(): Promise<ServiceEnvironment> {
  await using made = new AsyncDisposableStack();
  const database = made.use(await createTestDatabase());
  const keys = made.use(await createSigningKeys());
  const folder = made.use(await mkdtempDisposable(join(tmpdir(), 'service-')));
  const tokenFile = join(folder.path, 'token');
  await writeFile(tokenFile, await keys.sign({ sub: 'orders', scope: 'inventory:reserve' }));
  const kept = made.move();
  return {
    keys,
    variables: {
      NODE_ENV: 'development',
      LISTEN_ADDRESS: '127.0.0.1:0',
      DATABASE_URL: database.url,
      AUTH_JWKS: keys.jwks,
      AUTH_ISSUER: issuer,
      AUTH_AUDIENCE: audience,
      // For the services that call others. No server listens on port 1.
      ...Object.fromEntries(
        services.flatMap(({ calls }) =>
          Object.keys(calls).flatMap((called) => [
            [`${called.toUpperCase()}_TARGET`, '127.0.0.1:1'],
            [`${called.toUpperCase()}_TOKEN_FILE`, tokenFile],
          ]),
        ),
      ),
      AUTH_TOKEN_FILE: tokenFile,
    },
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}
