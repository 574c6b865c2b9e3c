import { mkdirSync, mkdtempDisposableSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { checkImports } from './check-imports.ts';

/** Checks a repository of these files. */
function check(files: Readonly<Record<string, string>>): string | undefined {
  using folder = mkdtempDisposableSync(join(tmpdir(), 'imports-'));
  for (const [file, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder.path, file)), { recursive: true });
    writeFileSync(join(folder.path, file), text);
  }
  return checkImports(folder.path);
}

test('imports that run one way pass', () => {
  const files = { 'lab/src/a.ts': `import { b } from './b.ts';`, 'lab/src/b.ts': 'export const b = 1;' };
  expect(check(files)).toBeUndefined();
});

test('two files that import each other are reported, also by a type', () => {
  const files = {
    'lab/src/a.ts': `import { b } from './b.ts';`,
    'lab/src/b.ts': `import type { A } from './a.ts';`,
  };
  expect(check(files)).toContain('lab/src/a.ts -> lab/src/b.ts -> lab/src/a.ts');
});

test('files with JSX that import each other are reported', () => {
  const files = {
    'lab/src/a.tsx': `import { B } from './b.tsx';`,
    'lab/src/b.tsx': `import { A } from './a.tsx';`,
  };
  expect(check(files)).toContain('lab/src/a.tsx -> lab/src/b.tsx -> lab/src/a.tsx');
});

test('two folders that import from each other are reported', () => {
  const files = {
    'lab/src/a/one.ts': `import { two } from '../b/two.ts';`,
    'lab/src/b/two.ts': 'export const two = 2;',
    'lab/src/b/three.ts': `import { four } from '../a/four.ts';`,
    'lab/src/a/four.ts': 'export const four = 4;',
  };
  expect(check(files)).toBe('imports form a cycle: lab/src/a -> lab/src/b -> lab/src/a');
});

test('an import of packages/rpc that runs to a higher layer is reported', () => {
  const files = {
    'packages/rpc/src/errors/a.ts': `import { b } from '../server/b.ts';`,
    'packages/rpc/src/server/b.ts': 'export const b = 1;',
  };
  expect(check(files)).toContain('packages/rpc/src/errors/a.ts imports packages/rpc/src/server/b.ts');
});

const packages = {
  gen: 'gen/src',
  rpc: 'packages/rpc/src/call',
  postgres: 'packages/postgres/src',
  orders: 'services/orders/src',
  inventory: 'services/inventory/src',
  dev: 'packages/dev/src',
  test: 'test/src',
  lab: 'lab/src',
} as const;
type Name = keyof typeof packages;

/** The packages that each package imports, by ARCHITECTURE.md. */
const permitted: Readonly<Record<Name, readonly Name[]>> = {
  rpc: [],
  postgres: ['rpc'],
  gen: ['rpc'],
  orders: ['gen', 'rpc', 'postgres'],
  inventory: ['gen', 'rpc', 'postgres'],
  dev: ['rpc', 'postgres'],
  test: ['gen', 'rpc', 'postgres', 'orders', 'inventory', 'dev'],
  lab: ['gen', 'rpc', 'postgres', 'orders', 'inventory', 'dev', 'test'],
};
const names = Object.keys(packages) as Name[];
const pairs = names.flatMap((from) => names.filter((to) => to !== from).map((to) => ({ from, to })));
const isPermitted = ({ from, to }: (typeof pairs)[number]) => permitted[from].includes(to);

test.each(pairs.filter(isPermitted))('$from imports $to', ({ from, to }) => {
  expect(check({ [`${packages[from]}/a.ts`]: `import { b } from '@acme/${to}/b';` })).toBeUndefined();
});

test.each(pairs.filter((pair) => !isPermitted(pair)))('$from does not import $to', ({ from, to }) => {
  for (const file of ['a.ts', 'a.test.ts'])
    for (const text of [
      `import type { B } from '@acme/${to}/b';`,
      `const b = await import('@acme/${to}/b');`,
      `export { b } from '@acme/${to}/b';`,
      `import '@acme/${to}/b';`,
    ])
      expect(check({ [`${packages[from]}/${file}`]: text })).toContain(
        `${packages[from]}/${file} imports @acme/${to}/b`,
      );
});

test.each(['../../../services/orders/src/app.ts', '../../../services.ts'])(
  'a file of another package is not imported by its path: %s',
  (path) => {
    expect(check({ 'packages/dev/src/a.ts': `import { b } from '${path}';` })).toContain(
      'packages/dev/src/a.ts imports',
    );
  },
);

test('the imports of this repository run one way', () => {
  expect(checkImports()).toBeUndefined();
});
