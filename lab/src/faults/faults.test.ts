import { runCommand } from '@acme/test/commands/command';
import { expect, test } from 'vitest';

test('npm run faults names the rows there are when it is asked for another one', async () => {
  const refused = await runCommand('faults', '--only', 'nothing');
  expect(refused).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/^there is no nothing\. There are:\n {2}1-/),
  });
});

test('npm run faults says which databases it is to check', async () => {
  expect(await runCommand('faults', '--check')).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/^ORDERS_DATABASE_URL is missing: .*; INVENTORY_DATABASE_URL is missing: /),
  });
});
