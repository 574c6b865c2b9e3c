import { spawnSync } from 'node:child_process';
import { describe, expect, test, vi } from 'vitest';
import { checkPolicies } from './check-policies.ts';
import { openContract } from './contract-images.ts';
import { copyContract, edit } from './testing/contract-copy.ts';
import { harmlessChanges } from './testing/harmless-changes.ts';

vi.setConfig({ testTimeout: 60_000 });

const order = 'shop/v1/order.proto';
const orderService = 'shop/v1/order_service.proto';

function buf(folder: string, ...args: string[]) {
  const { status, stdout } = spawnSync('buf', args, { cwd: folder, encoding: 'utf8' });
  return { status, stdout };
}

describe('buf lint', () => {
  test.each([
    [
      'a message without a comment',
      edit(order, '// OrderLine is one item of an order.\n', ''),
      'non-empty comment',
    ],
    ['a field in camelCase', edit(order, 'string customer_id = 2', 'string customerId = 2'), 'customer_id'],
    [
      'a response that another method has',
      edit(orderService, 'returns (CancelOrderResponse)', 'returns (GetOrderResponse)'),
      'CancelOrderResponse',
    ],
    ['an enum without its zero', edit(order, 'STATE_UNSPECIFIED = 0', 'STATE_UNKNOWN = 0'), '_UNSPECIFIED'],
  ])('rejects %s', (_name, change, complaint) => {
    using contract = copyContract([change]);
    const lint = buf(contract.folder, 'lint', '--error-format', 'text');
    expect(lint).toMatchObject({ status: 100, stdout: expect.stringContaining('proto/shop/v1/') });
    expect(lint.stdout).toContain(complaint);
  });

  test('accepts a new method that is written like the others', () => {
    const added = harmlessChanges.find(({ name }) => name.startsWith('method added'));
    using contract = copyContract(added?.edits);
    expect(buf(contract.folder, 'lint')).toEqual({ status: 0, stdout: '' });
    expect(buf(contract.folder, 'format', '--diff', '--exit-code')).toEqual({ status: 0, stdout: '' });
    using compiled = openContract(contract.folder);
    expect(checkPolicies(compiled.present())).toBeUndefined();
  });
});

test('buf format rejects a file that is not formatted', () => {
  using contract = copyContract([edit(order, '  string customer_id = 2;', '    string customer_id=2;')]);
  expect(buf(contract.folder, 'format', '--diff', '--exit-code')).toMatchObject({ status: 100 });
});
