import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { mkdtempDisposable } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { checkKubernetes } from './check-kubernetes.ts';
import { depot, problemsWith } from './testing/problems-with.ts';

test('manifests that keep every rule have no problems', async () => {
  expect(await problemsWith('LOG_LEVEL: info', 'LOG_LEVEL: warn')).toEqual([]);
});

/** Runs the check on one overlay, with a PATH on which `programs` are all that there is. */
async function checkWith(
  programs: Readonly<Record<string, string>>,
  files: Readonly<Record<string, string>>,
) {
  const folder = await mkdtempDisposable(join(tmpdir(), 'kubernetes-'));
  onTestFinished(() => folder.remove());
  const overlay = join(folder.path, 'kubernetes/overlays/production');
  mkdirSync(overlay, { recursive: true });
  for (const [name, text] of Object.entries(files)) writeFileSync(join(overlay, name), text);
  const path = join(folder.path, 'bin');
  mkdirSync(path);
  for (const [name, script] of Object.entries(programs)) {
    writeFileSync(join(path, name), `#!/bin/sh\n${script}\n`);
    chmodSync(join(path, name), 0o755);
  }
  vi.stubEnv('PATH', path);
  onTestFinished(() => vi.unstubAllEnvs() && undefined);
  return checkKubernetes(join(folder.path, 'kubernetes'), [depot]);
}

const kustomization = { 'kustomization.yaml': 'resources:\n  - namespace.yaml\n', 'namespace.yaml': '' };
const printsNamespace = "echo '{kind: Namespace, metadata: {name: test}, labels: {}}'";

test('without kustomize and kubectl the check is skipped, and says why', async () => {
  expect(await checkWith({}, kustomization)).toEqual({
    skipped: 'neither kustomize nor kubectl is on the PATH',
  });
});

test.each(['kustomize', 'kubectl'])('the manifests that %s builds are checked', async (tool) => {
  expect(await checkWith({ [tool]: printsNamespace }, kustomization)).toContain(
    'overlays/production: Namespace test lacks the label',
  );
});

test('a build that fails is a problem', async () => {
  const programs = { kustomize: 'echo "no such file: hpa.yaml" >&2; exit 1' };
  await expect(checkWith(programs, kustomization)).rejects.toThrow('no such file: hpa.yaml');
});

test('a file that no kustomization lists is a problem', async () => {
  const files = { ...kustomization, 'hpa.yaml': '' };
  expect(await checkWith({ kustomize: printsNamespace }, files)).toContain(
    'kubernetes/overlays/production/hpa.yaml is not listed in kubernetes/overlays/production/kustomization.yaml',
  );
});

test.each([
  ['{kind: Issuer', '{kind: ClusterIssuer', 'is signed by a ClusterIssuer, which signs for every namespace'],
  ['Issuer, name: saturday', 'Issuer, name: sunday', 'is signed by the Issuer sunday, which does not exist'],
])('a certificate that another namespace could get is a problem: %j as %j', async (from, to, problem) => {
  expect(await problemsWith(from, to)).toEqual([`Certificate depot ${problem}`]);
});
