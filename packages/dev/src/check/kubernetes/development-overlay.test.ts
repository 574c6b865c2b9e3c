import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtempDisposable, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DeploymentSpec } from 'kubernetes-types/apps/v1.d.ts';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { services } from '../../repository/load-services.ts';
import { root } from '../../repository/paths.ts';
import { ofKind, parseManifests } from './manifest.ts';

interface Kustomization {
  readonly configMapGenerator: readonly Generator[];
  readonly secretGenerator: readonly Generator[];
}

interface Generator {
  readonly name: string;
  readonly files: readonly string[];
}

test.skipIf(services.length === 0)(
  'make-secrets writes every file of the Secrets that the Job stores, and those that the services mount',
  async () => {
    await using folder = await mkdtempDisposable(join(tmpdir(), 'made-secrets-'));
    const program = join(root, 'packages/dev/src/credentials/secrets.ts');
    const made = spawnSync(process.execPath, [program, folder.path, '--kustomize']);
    expect([made.status, String(made.stderr)]).toEqual([0, '']);
    const text = await readFile(join(folder.path, 'kustomization.yaml'), 'utf8');
    const { configMapGenerator, secretGenerator }: Kustomization = parse(text);
    const files = [...configMapGenerator, ...secretGenerator].flatMap((each) => each.files);
    expect(files.length).toBeGreaterThan(5 * services.length);
    expect(files.filter((file) => !existsSync(join(folder.path, file)))).toEqual([]);

    for (const { name } of services) {
      const manifest = join(root, 'deploy/kubernetes/base', name, 'deployment.yaml');
      const [deployment] = ofKind<DeploymentSpec>(
        parseManifests(await readFile(manifest, 'utf8')),
        'Deployment',
      );
      const sources = deployment?.spec.template.spec?.volumes?.[0]?.projected?.sources ?? [];
      const secrets = sources.flatMap(({ secret }) => secret?.name ?? []);
      expect(secrets).toHaveLength(2);
      expect(secretGenerator.map((each) => each.name)).toEqual(expect.arrayContaining(secrets));
    }
  },
  60_000,
);
