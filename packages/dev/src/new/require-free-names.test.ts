import { expect, test } from 'vitest';
import { root } from '../repository/paths.ts';
import { planService } from './plan-service.ts';
import { requireFreeNames } from './require-free-names.ts';

const check = (service: string, rpcs: string[] = []) =>
  requireFreeNames(root, planService(service, { rpcs: rpcs }));

test('a free name is accepted', () => {
  expect(check('xspecimens')).toBeUndefined();
  expect(check('xsampling', ['GetSwab'])).toBeUndefined();
});

test.each([
  ['policy', [], 'policy is taken: packages/rpc/proto/policy exists'],
  ['dev', [], 'dev is taken: node_modules/@acme/dev exists'],
  ['postgres', [], 'postgres is taken'],
  ['grafana', [], 'grafana is taken: deploy/compose/observability.yaml has a container of this name'],
  ['operator', [], 'operator is taken: deploy/kubernetes/overlays/development/operator exists'],
  ['network', [], 'network is taken: deploy/kubernetes/base/network exists'],
  ['stores', [], 'Store is taken: store has a meaning in the code'],
  ['pools', [], 'Pool is taken: Pool has a meaning'],
  ['classes', [], 'Class is taken: class has a meaning'],
  ['xspecimens', ['GetDate'], 'Date is taken: Date has a meaning'],
  ['xspecimens', ['GetExport'], 'Export is taken: export has a meaning'],
])('%s with the methods %j is rejected: %s', (service, rpcs, message) => {
  expect(() => check(service, rpcs)).toThrow(message);
});
