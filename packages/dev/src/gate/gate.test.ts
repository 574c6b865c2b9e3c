import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import { requireContractPolicies } from '../check/contract-policies.ts';
import { runCommand } from '../cli/run-command.ts';
import { generatedDrift } from '../generate/generated-drift.ts';
import { root } from '../repository/paths.ts';
import { harmlessChanges } from './harmless-changes.ts';
import { copyContract, edit } from './testing/contract-copy.ts';

vi.setConfig({ testTimeout: 60_000 });

// npm does this for `npm test`; an editor that runs one test does not.
process.env.PATH = `${join(root, 'node_modules/.bin')}${delimiter}${process.env.PATH}`;

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
    requireContractPolicies(contract.folder);
  });
});

test('buf format rejects a file that is not formatted', () => {
  using contract = copyContract([edit(order, '  string customer_id = 2;', '    string customer_id=2;')]);
  expect(buf(contract.folder, 'format', '--diff', '--exit-code')).toMatchObject({ status: 100 });
});

describe('the policy of every method', () => {
  const policy = (deadline: string, scopes: string) =>
    `    option (policy.v1.method) = {\n      deadline: {seconds: ${deadline}}\n      scopes: [${scopes}]\n    };\n`;
  const getOrder = policy('1', '"orders:read"');

  test.each([
    ['no policy', '', 'shop.v1.OrderService.GetOrder has no option (policy.v1.method)'],
    [
      'a deadline of zero',
      policy('0', '"orders:read"'),
      'shop.v1.OrderService.GetOrder: policy.v1.method.deadline',
    ],
    ['no scope', policy('1', ''), 'shop.v1.OrderService.GetOrder: policy.v1.method.scopes is empty'],
  ])('the error about %s names the method', (_name, replacement, error) => {
    using contract = copyContract([edit(orderService, getOrder, replacement)]);
    expect(() => requireContractPolicies(contract.folder)).toThrow(error);
  });

  test('a contract that does not compile fails the check', () => {
    using contract = copyContract([edit(order, 'message Order {', 'message Order')]);
    expect(() => requireContractPolicies(contract.folder)).toThrow('proto/shop/v1/order.proto');
  });
});

describe('generated code', () => {
  test('a contract that was changed without generating is reported', () => {
    using contract = copyContract();
    runCommand(contract.folder, 'buf', 'generate');
    contract.apply([edit(order, 'string reject_reason = 6', 'string reason = 6')]);
    expect(generatedDrift(contract.folder)).toBe(
      'not generated from the contract as it is: shop/v1/order_pb.ts: npm run generate',
    );
  });

  test('an edit of generated code is reported', () => {
    using contract = copyContract();
    runCommand(contract.folder, 'buf', 'generate');
    expect(generatedDrift(contract.folder)).toBeUndefined();
    const file = join(contract.folder, 'gen/src/shop/v1/order_pb.ts');
    writeFileSync(file, `${readFileSync(file, 'utf8')}\nexport const mine = 1;\n`);
    expect(generatedDrift(contract.folder)).toContain('shop/v1/order_pb.ts');
  });
});

test('CI and version managers use the Node that npm scripts run on', () => {
  const read = (file: string) => readFileSync(join(root, file), 'utf8');
  const [major] = JSON.parse(read('package.json')).devDependencies.node.split('.');
  expect(read('.nvmrc').trim()).toBe(major);
  expect(read('.github/workflows/ci.yml')).toContain(`name: the pinned Node, node: '${major}'`);
});
