import { mkdtempDisposableSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { root } from '../repository/paths.ts';
import type { CopyOptions } from './copy-options.ts';
import { readKitPackages } from './kit-packages.ts';

function packagesIn(packages: string) {
  const options: CopyOptions = {
    scope: '@initech',
    name: 'initech',
    keepsExamples: false,
    isKitVendored: false,
    keepsLab: false,
    packages,
    freshHistory: false,
  };
  return () => readKitPackages(root, options);
}

test('a folder of tarballs that does not exist is named', () => {
  const folder = join(import.meta.dirname, 'nowhere');
  expect(packagesIn(folder)).toThrow(`--packages ${folder}: there is no such folder`);
});

test('a tarball that the folder lacks is named', () => {
  using folder = mkdtempDisposableSync(join(tmpdir(), 'kit-'));
  expect(packagesIn(folder.path)).toThrow(
    /^--packages .* has no acme-rpc-\d+\.\d+\.\d+\.tgz: npm run pack makes it$/,
  );
});
