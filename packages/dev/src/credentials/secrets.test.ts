import { execFile } from 'node:child_process';
import { mkdtempDisposable, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { services } from '../repository/load-services.ts';

const program = fileURLToPath(new URL('./secrets.ts', import.meta.url));
const makeSecrets = (folder: string) => promisify(execFile)(process.execPath, [program, folder]);

async function filesIn(folder: string): Promise<Map<string, string>> {
  const names = (await readdir(folder, { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
  return new Map(await Promise.all(names.map(async (name) => [name, await readFile(name, 'utf8')] as const)));
}

test('each part has its own secrets, which only its owner can read', async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'secrets-'));
  await makeSecrets(folder.path);
  const files = await filesIn(folder.path);
  for (const { name: service } of services) {
    const inFolder = (name: string) => join(folder.path, service, name);
    expect((await readdir(join(folder.path, service))).toSorted()).toEqual([
      'ca.crt',
      'environment',
      'jwks.json',
      'tls.crt',
      'tls.key',
    ]);
    for (const name of ['environment', 'tls.key'])
      expect(((await stat(inFolder(name))).mode & 0o777).toString(8)).toBe('400');
    const password = files.get(join(folder.path, 'postgres', service)) ?? '';
    expect(password).toMatch(/^[\w-]{43}$/);
    const holders = [...files].filter(([, text]) => text.includes(password)).map(([name]) => name);
    expect(holders.toSorted()).toEqual(
      [inFolder('environment'), join(folder.path, 'postgres', service)].toSorted(),
    );
    expect(files.get(inFolder('jwks.json'))).not.toContain('"d"');
  }
});

test('a second run keeps passwords and signing keys, and renews the certificates', async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'secrets-'));
  await makeSecrets(folder.path);
  const before = await filesIn(folder.path);
  await makeSecrets(folder.path);
  const after = await filesIn(folder.path);
  const changed = [...after].filter(([name, text]) => before.get(name) !== text).map(([name]) => name);
  expect([...after.keys()].toSorted()).toEqual([...before.keys()].toSorted());
  const certificates = [
    'operator/certs/client',
    ...services.flatMap(({ name }) => [`operator/certs/${name}`, `${name}/tls`]),
  ];
  expect(changed.map((name) => name.slice(folder.path.length + 1)).toSorted()).toEqual(
    certificates.flatMap((name) => [`${name}.crt`, `${name}.key`]).toSorted(),
  );
});

test('a service without a database gets no password', async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'secrets-'));
  const entry = (name: string, more = '') =>
    `{ name: '${name}', port: 1, metricsPort: 2, calls: {}, examples: []${more} }`;
  await writeFile(
    join(folder.path, 'services.ts'),
    `export const services = [${entry('shop')}, ${entry('mirror', ', hasDatabase: false')}];`,
  );
  const secrets = join(folder.path, 'secrets');
  await promisify(execFile)(process.execPath, [program, secrets, '--kustomize'], { cwd: folder.path });
  expect(await readdir(join(secrets, 'postgres'))).toEqual(['shop']);
  expect(await readFile(join(secrets, 'mirror/environment'), 'utf8')).toBe('');
  expect(await readFile(join(secrets, 'kustomization.yaml'), 'utf8')).not.toContain('postgres/mirror');
});
