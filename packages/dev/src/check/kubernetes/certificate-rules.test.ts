import { expect, test } from 'vitest';
import { problemsWith } from './testing/problems-with.ts';

const orders = 'components/cert-manager/orders.yaml';

test.each([
  [
    orders,
    'kind: Issuer',
    'kind: ClusterIssuer',
    'is signed by a ClusterIssuer, which signs for every namespace',
  ],
  [
    orders,
    'kind: Issuer, name: saturday',
    'kind: Issuer, name: sunday',
    'is signed by sunday, which is no Issuer here',
  ],
])(
  'a certificate that another namespace could be given does not pass: in %s %j as %j',
  async (file, from, to, problem) => {
    expect(await problemsWith(file, from, to)).toContain(problem);
  },
);
