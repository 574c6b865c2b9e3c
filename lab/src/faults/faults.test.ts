import { runCommand } from '@acme/test/commands/command';
import { expect, test } from 'vitest';

test('npm run faults lists the scenarios when --only names an unknown one', async () => {
  const rejected = await runCommand('faults', '--only', 'nothing');
  expect(rejected).toMatchObject({
    code: 2,
    stderr: expect.stringMatching(/^there is no nothing: the names are 1-before-t1, .*\n$/),
  });
});

test('npm run faults -- --check names the missing database URLs', async () => {
  expect(await runCommand('faults', '--check')).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/^ORDERS_DATABASE_URL is missing: .*; INVENTORY_DATABASE_URL is missing: /),
  });
});
