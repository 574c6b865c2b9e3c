import { expect, test } from 'vitest';
import { problemsWith } from './testing/problems-with.ts';

test.each([
  ['{kind: Issuer', '{kind: ClusterIssuer', 'is signed by a ClusterIssuer, which signs for every namespace'],
  ['Issuer, name: saturday', 'Issuer, name: sunday', 'is signed by the Issuer sunday, which does not exist'],
])('a certificate that another namespace could get is a problem: %j as %j', async (from, to, problem) => {
  expect(await problemsWith(from, to)).toEqual([`Certificate depot ${problem}`]);
});
