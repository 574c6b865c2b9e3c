import { mkdirSync, writeFileSync } from 'node:fs';
import { mkdtempDisposable } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { checkImageDigests } from './check-image-digests.ts';

const digest = `@sha256:${'0123456789abcdef'.repeat(4)}`;

async function problemsOf(file: string, text: string): Promise<string | undefined> {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'images-'));
  mkdirSync(join(folder.path, dirname(file)), { recursive: true });
  writeFileSync(join(folder.path, file), text);
  return checkImageDigests(folder.path);
}

test('every image that is not built in this repository is pinned by digest', () => {
  expect(checkImageDigests()).toBeUndefined();
});

test.each([
  ['Dockerfile', 'FROM node:26 AS build\n', 'node:26'],
  ['Dockerfile', `ARG NODE_IMAGE=node:26\nFROM \${NODE_IMAGE} AS build\n`, 'node:26'],
  ['docker-compose.yml', 'services:\n  db:\n    image: postgres:18\n', 'postgres:18'],
  ['docker-compose.yml', `    image: \${POSTGRES_IMAGE:-postgres:18}\n`, 'postgres:18'],
  [
    'docker-compose.yml',
    `    image: postgres:18${digest.slice(0, -1)}\n`,
    `postgres:18${digest.slice(0, -1)}`,
  ],
  ['deploy/kubernetes/base/job.yaml', '        - image: "kubectl:v1"\n', 'kubectl:v1'],
  ['packages/dev/template/deploy/kubernetes/base/job.yaml', "          image: 'kubectl:v1'\n", 'kubectl:v1'],
  ['.github/workflows/ci.yml', '    container: node:26\n', 'node:26'],
  ['.github/workflows/ci.yml', '      - uses: docker://alpine:3\n', 'alpine:3'],
])('an image without a digest is reported: %s %j', async (file, text, image) => {
  expect(await problemsOf(file, text)).toBe(`${file}: ${image} is not pinned by digest`);
});

test.each([
  ['Dockerfile', `ARG NODE_IMAGE=node:26${digest}\nFROM \${NODE_IMAGE} AS build\nFROM build AS service\n`],
  ['docker-compose.yml', `    image: \${POSTGRES_IMAGE:-postgres:18${digest}}\n    image: saturday-orders\n`],
  ['.github/workflows/images.yml', `          image: \${{ matrix.service }}\n`],
])('an image with a digest, or built in the repository, passes: %s %j', async (file, text) => {
  expect(await problemsOf(file, text)).toBeUndefined();
});
