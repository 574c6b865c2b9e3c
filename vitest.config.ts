import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: [
      '{packages,services}/*/src/**/*.test.ts',
      '{test,lab}/src/**/*.test.ts',
      'lab/console/**/*.test.ts',
    ],
    // A project of its own, with packages from a registry: npm run test:packages.
    exclude: ['lab/src/packages/consumer/**'],
    // One real PostgreSQL for the whole run; every test makes a database of its own on it.
    globalSetup: [fileURLToPath(import.meta.resolve('@acme/postgres/testing/postgres-server'))],
    pool: 'forks',
    // Tests start many processes, each of which would spend a third of its start on compiling.
    env: { NODE_COMPILE_CACHE: fileURLToPath(new URL('node_modules/.cache/compiled', import.meta.url)) },
    // More than there are cores: much of a test is the wait for a process of its own. Six share the server's connections.
    maxWorkers: Math.min(6, Math.ceil(availableParallelism() * 1.5)),
    testTimeout: 20_000,
    hookTimeout: 60_000,
    // One second by default, which is an assertion about the machine.
    expect: { poll: { timeout: 15_000 } },
  },
});
