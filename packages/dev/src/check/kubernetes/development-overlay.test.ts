import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { root } from '../../repository/paths.ts';

const development = join(root, 'deploy/kubernetes/overlays/development');

interface MadeSecrets {
  readonly configMapGenerator: readonly { readonly files: readonly string[] }[];
  readonly secretGenerator: readonly { readonly files: readonly string[] }[];
}

test('make-secrets writes every file that the Job stores as a Secret', async () => {
  const text = await readFile(join(development, 'secrets/made-secrets.yaml'), 'utf8');
  const { configMapGenerator, secretGenerator }: MadeSecrets = parse(text);
  const files = [...configMapGenerator, ...secretGenerator].flatMap((each) => each.files);
  const folder = await mkdtemp(join(tmpdir(), 'made-secrets-'));
  try {
    const made = spawnSync(process.execPath, [join(root, 'packages/dev/src/credentials/secrets.ts'), folder]);
    expect([made.status, String(made.stderr)]).toEqual([0, '']);
    expect(files.length).toBeGreaterThan(10);
    expect(files.filter((file) => !existsSync(join(folder, file)))).toEqual([]);
  } finally {
    await rm(folder, { recursive: true });
  }
}, 60_000);

test('the development overlay creates the same databases as Compose', async () => {
  const [here, there] = await Promise.all([
    readFile(join(development, 'postgres/databases.sql'), 'utf8'),
    readFile(join(root, 'deploy/compose/databases.sql'), 'utf8'),
  ]);
  expect(here).toBe(there);
});
