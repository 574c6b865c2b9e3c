import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['{packages,services,tools,test}/**/*.test.ts'],
    // One real PostgreSQL for the whole run; every test makes a database of its own on it.
    globalSetup: ['packages/postgres/src/testing/postgres-server.ts'],
    pool: 'forks',
    // By default it would keep a core to itself.
    maxWorkers: '100%',
    testTimeout: 20_000,
    hookTimeout: 60_000,
    // One second by default, which is an assertion about the machine.
    expect: { poll: { timeout: 15_000 } },
  },
});
