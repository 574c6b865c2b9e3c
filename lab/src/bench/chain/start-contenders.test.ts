import { runCommand } from '@acme/test/commands/command';
import { expect, test } from 'vitest';

test.for(['chain', 'callers'])(
  'npm run bench -- %s suggests a contender when --only names an unknown one',
  async (bench) => {
    expect(await runCommand('bench', bench, '--only', 'grpc-js')).toMatchObject({
      code: 2,
      stderr: 'there is no grpc-js: did you mean grpcjs?\n',
    });
  },
);
