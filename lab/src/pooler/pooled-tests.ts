import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

/** The tests that need a real pooler, which the first run downloads: npm run test:pooler. */
export default defineConfig({
  root: fileURLToPath(new URL('../../..', import.meta.url)),
  test: {
    include: ['lab/src/pooler/*.pooled.ts'],
    globalSetup: [fileURLToPath(import.meta.resolve('@acme/postgres/testing/postgres-server'))],
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 60_000,
    expect: { poll: { timeout: 15_000 } },
  },
});
