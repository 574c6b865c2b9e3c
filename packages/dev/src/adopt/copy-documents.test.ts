import { join } from 'node:path';
import { expect, test } from 'vitest';
import { root } from '../repository/paths.ts';
import { renderCopy } from './copy-documents.ts';

test.each([
  { isKitVendored: true, keepsExamples: true },
  { isKitVendored: true, keepsExamples: false },
  { isKitVendored: false, keepsExamples: true },
])('a copy without the lab has no file that names its folder: %o', (kept) => {
  const files = renderCopy(join(root, 'packages/dev/copy'), {
    ...{ scope: '@initech', name: 'initech', packages: undefined, freshHistory: false },
    ...{ ...kept, keepsLab: false },
  });
  expect(files.size).toBeGreaterThan(0);
  for (const [file, text] of files) expect(text, file).not.toMatch(/\blab\b/);
});
