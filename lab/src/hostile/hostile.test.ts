import { runCommand } from '@acme/test/commands/command';
import { expect, test } from 'vitest';

test('npm run hostile lists the attacks when --only names an unknown one', async () => {
  const rejected = await runCommand('hostile', '--only', 'nothing');
  expect(rejected).toMatchObject({
    code: 2,
    stderr: expect.stringMatching(/^there is no nothing: the names are inflate-before-auth, .*\n$/),
  });
});
