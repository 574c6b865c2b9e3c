import { expect, test } from 'vitest';
import { root } from '../repository/paths.ts';
import { requireFreeNames } from './names-in-use.ts';
import { planService } from './plan.ts';

const check = (service: string, rpcs: string[] = []) => requireFreeNames(root, planService(service, rpcs));

test('ensure a name that nothing has can be had', () => {
  expect(check('specimens')).toBeUndefined();
  expect(check('sampling', ['GetSwab'])).toBeUndefined();
});

test.each([
  ['policy', [], 'policy is taken: there is proto/policy'],
  ['dev', [], 'dev is taken: there is node_modules/@acme/dev'],
  ['postgres', [], 'postgres is taken'],
  ['stores', [], 'Store cannot be had: store means something in the code'],
  ['pools', [], 'Pool cannot be had: Pool means'],
  ['classes', [], 'Class cannot be had: class means'],
  ['specimens', ['GetDate'], 'Date cannot be had: Date means'],
  ['specimens', ['GetExport'], 'Export cannot be had: export means'],
])('ensure %s with the methods %j is refused: %s', (service, rpcs, complaint) => {
  expect(() => check(service, rpcs)).toThrow(complaint);
});
