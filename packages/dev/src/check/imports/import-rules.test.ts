import { mkdirSync, mkdtempDisposableSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { importRules } from './import-rules.ts';

/** Checks a repository of these files. */
function check(files: Readonly<Record<string, string>>): string | undefined {
  using folder = mkdtempDisposableSync(join(tmpdir(), 'imports-'));
  for (const [file, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder.path, file)), { recursive: true });
    writeFileSync(join(folder.path, file), text);
  }
  return importRules(folder.path);
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
