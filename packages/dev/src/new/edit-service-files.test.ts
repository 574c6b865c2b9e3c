import { mkdtempDisposableSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { editServiceFiles } from './edit-service-files.ts';
import { planService } from './plan-service.ts';

test('a file of a component that the repository does not have is not written', () => {
  using folder = mkdtempDisposableSync(join(tmpdir(), 'edit-'));
  const rendered = new Map([
    ['services/payments/package.json', '{}'],
    ['deploy/kubernetes/components/cert-manager/payments.yaml', 'kind: Certificate'],
  ]);
  const plan = planService('payments', { rpcs: [] });
  const ports = { port: 50099, webPort: 8099, metricsPort: 9499 };
  const { files, absent } = editServiceFiles(folder.path, { plan, ports, rendered });
  expect([...files.keys()]).toEqual(['services/payments/package.json']);
  expect(absent).toContain('deploy/kubernetes/components/cert-manager/kustomization.yaml');
});
