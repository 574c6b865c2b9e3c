import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

test('the command names the database that it cannot use', async () => {
  const command = fileURLToPath(new URL('./main.ts', import.meta.url));
  const env = {
    NODE_ENV: 'test',
    // Port 1 is reserved, and nothing listens on it.
    DATABASE_URL: 'postgres://orders:secret@127.0.0.1:1/orders',
    INVENTORY_TARGET: '127.0.0.1:1',
    AUTH_TOKEN_FILE: 'inventory.token',
    AUTH_JWKS: 'jwks.json',
    AUTH_ISSUER: 'https://issuer.invalid',
    AUTH_AUDIENCE: 'orders',
  };
  await expect(promisify(execFile)(process.execPath, [command], { env })).rejects.toMatchObject({
    code: 1,
    stderr: 'the database of orders cannot be used (DATABASE_URL): connect ECONNREFUSED 127.0.0.1:1\n',
  });
});
