import { mkdirSync, mkdtempDisposableSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { checkImageBuilds } from './check-image-builds.ts';

/** Returns the problems of a repository with the folder `services/depot` and a matrix. */
function problemsOf(names: readonly string[], matrix: string): string | undefined {
  using folder = mkdtempDisposableSync(join(tmpdir(), 'images-'));
  mkdirSync(join(folder.path, 'services/depot'), { recursive: true });
  mkdirSync(join(folder.path, '.github/workflows'), { recursive: true });
  writeFileSync(
    join(folder.path, '.github/workflows/images.yml'),
    `jobs: {scan: {strategy: {matrix: {service: ${matrix}}}}}`,
  );
  return checkImageBuilds(folder.path, names);
}

test('a matrix from the folders, or with every service, has no problems', () => {
  expect(problemsOf(['depot'], 'fromJSON(names)')).toBeUndefined();
  expect(problemsOf(['depot'], '[depot]')).toBeUndefined();
});

test.each([
  [[], '[depot]', 'services/depot is not in services.ts, and .github/workflows/images.yml builds its image'],
  [['depot', 'shop'], '[depot, shop]', 'services.ts lists shop, and services/shop does not exist'],
  [['depot'], '[shop]', 'no image of depot is built: add it to the matrix in .github/workflows/images.yml'],
])(
  'a service without an image, or an image without a service, is a problem: %j, %s',
  (names, matrix, problem) => {
    expect(problemsOf(names, matrix)).toBe(problem);
  },
);

test('an image of every service of this repository is built', () => {
  expect(checkImageBuilds()).toBeUndefined();
});
