import { mkdirSync, mkdtempDisposableSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { generatedFiles } from '../generate/generated-files.ts';
import { root } from '../repository/paths.ts';
import { scope } from '../repository/project.ts';
import { writeService } from './write-service.ts';

test('a failure in the middle restores the repository', () => {
  using folder = mkdtempDisposableSync(join(tmpdir(), 'write-'));
  const at = (...path: string[]) => join(folder.path, ...path);
  mkdirSync(at('proto', 'orders'), { recursive: true });
  writeFileSync(at('services.ts'), 'the old list');
  // A file where the service needs a folder.
  writeFileSync(at('gen'), '');
  const files = new Map([
    ['services.ts', 'the new list'],
    ['proto/payments/v1/payment.proto', 'syntax'],
    ['gen/src/payments/v1/payment_pb.ts', 'export {}'],
  ]);
  const before = readdirSync(folder.path, { recursive: true });
  expect(() => writeService(folder.path, 'payments', files, { run: () => {}, files: () => [] })).toThrow(
    'ENOTDIR',
  );
  expect(readdirSync(folder.path, { recursive: true })).toEqual(before);
  expect(readFileSync(at('services.ts'), 'utf8')).toBe('the old list');
});

/** A repository with a file that is generated, and a generator that changes it and makes another. */
function openGenerated(run: (write: (path: string, text: string) => void) => void) {
  const folder = mkdtempDisposableSync(join(tmpdir(), 'write-'));
  const at = (path: string) => join(folder.path, path);
  mkdirSync(at('docs'));
  mkdirSync(at(`node_modules/${scope}`), { recursive: true });
  writeFileSync(at('docs/settings.md'), 'as before');
  writeFileSync(at('docs/keys.md'), 'unchanged');
  const files = new Map([['services/payments/main.ts', 'export {}']]);
  const generator = {
    run: () => run((path, text) => writeFileSync(at(path), text)),
    files: () => ['docs/settings.md', 'docs/keys.md', 'docs/alerts.md'],
  };
  return {
    write: () => writeService(folder.path, 'payments', files, generator),
    read: (path: string) => readFileSync(at(path), 'utf8'),
    paths: () => readdirSync(folder.path, { recursive: true }).toSorted(),
    [Symbol.dispose]: () => folder.remove(),
  };
}

test('the files that the generator changed are among those that are returned', () => {
  using repository = openGenerated((write) => {
    write('docs/settings.md', 'changed');
    write('docs/keys.md', 'unchanged');
    write('docs/alerts.md', 'new');
  });
  expect(repository.write()).toEqual({
    added: ['services/payments/main.ts', 'docs/alerts.md'],
    changed: ['docs/settings.md'],
  });
});

test('a failure of the generator restores the files that it wrote', () => {
  using repository = openGenerated((write) => {
    write('docs/settings.md', 'changed');
    write('docs/alerts.md', 'new');
    throw new Error('no generator');
  });
  const before = repository.paths();
  expect(repository.write).toThrow('no generator');
  expect(repository.read('docs/settings.md')).toBe('as before');
  // An empty folder stays: git does not see it.
  expect(repository.paths().filter((path) => path !== 'services')).toEqual(before);
});

test('each file that npm run generate writes is known', () => {
  expect(generatedFiles(root)).toEqual(
    expect.arrayContaining([
      'docs/settings.md',
      'deploy/observability/prometheus/rules/slo.yml',
      'deploy/observability/grafana/dashboards/golden-signals.json',
      'deploy/kubernetes/components/prometheus-operator/rules.yaml',
    ]),
  );
});
