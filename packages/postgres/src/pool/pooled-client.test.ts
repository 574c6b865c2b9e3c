import { mkdtempDisposable, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { pooledClient } from './pooled-client.ts';
import { statementTracing } from './statement-telemetry.ts';

test('a renewed certificate is used for the next connection, and the last one while the file is missing', async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'acme-client-'));
  const file = join(folder.path, 'ca.crt');
  await writeFile(file, 'first');
  const url = `postgres://r1:secret@db/orders?sslmode=verify-full&sslrootcert=${encodeURIComponent(file)}`;
  const options = {
    url,
    settings: { lock_timeout: 1_000 },
    configureTimeoutMs: 1_000,
    trace: statementTracing('orders'),
  };
  const Client = pooledClient(options);
  const connect = () => new Client({ host: 'elsewhere', application_name: 'test' });
  expect(connect()).toMatchObject({ host: 'db', user: 'r1', ssl: { ca: 'first' } });
  await rm(file);
  expect(connect()).toMatchObject({ ssl: { ca: 'first' } });
  await writeFile(file, 'second');
  expect(connect()).toMatchObject({ ssl: { ca: 'second' } });
  await rm(file);
  expect(() => pooledClient(options)).toThrow('the database URL is not valid: ENOENT');
});
