import { expect, test } from 'vitest';
import { publishedManifest, repositoryOf } from './published-manifest.ts';

const manifest = {
  name: '@acme/rpc',
  version: '0.1.0',
  private: true,
  exports: { './server': './src/exports/server.ts', './lint': './config/lint.json' },
  dependencies: { jose: '6.2.17', '@acme/gen': '^0.1.0' },
};

test('entry points name what is built, and exact versions become ranges', () => {
  expect(publishedManifest(manifest, undefined)).toEqual({
    name: '@acme/rpc',
    version: '0.1.0',
    exports: {
      './server': { types: './dist/exports/server.d.ts', default: './dist/exports/server.js' },
      './lint': './config/lint.json',
    },
    dependencies: { jose: '^6.2.17', '@acme/gen': '^0.1.0' },
  });
});

test('a package that a workflow on GitHub builds names its repository, which provenance requires', () => {
  const github = { GITHUB_SERVER_URL: 'https://github.com', GITHUB_REPOSITORY: 'acme/kit' };
  const repository = repositoryOf('packages/rpc', github);
  expect(publishedManifest(manifest, repository)).toMatchObject({
    repository: { type: 'git', url: 'git+https://github.com/acme/kit.git', directory: 'packages/rpc' },
  });
  expect(repositoryOf('packages/rpc', {})).toBe(undefined);
});
