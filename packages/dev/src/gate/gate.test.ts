import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import { requireContractPolicies } from '../check/contract-policies.ts';
import { generatedDrift } from '../generate/generated-drift.ts';
import { edit, editedContract, repository } from './contract-change.ts';
import { harmlessChanges } from './harmless-changes.ts';

vi.setConfig({ testTimeout: 60_000 });

// npm does this for `npm test`; an editor that runs one test does not.
process.env.PATH = `${join(repository, 'node_modules/.bin')}${delimiter}${process.env.PATH}`;

const order = 'orders/v1/order.proto';
const orderService = 'orders/v1/order_service.proto';

function buf(folder: string, ...args: string[]) {
  const { status, stdout } = spawnSync('buf', args, { cwd: folder, encoding: 'utf8' });
  return { status, stdout };
}

describe('buf lint', () => {
  test.each([
    [
      'a message without a comment',
      edit(order, '// OrderLine is one article of an order and how many of it.\n', ''),
      'non-empty comment',
    ],
    ['a field in camelCase', edit(order, 'string customer_id = 2', 'string customerId = 2'), 'customer_id'],
    [
      'a response that another method has',
      edit(orderService, 'returns (CancelOrderResponse)', 'returns (GetOrderResponse)'),
      'CancelOrderResponse',
    ],
    ['an enum without its zero', edit(order, 'STATE_UNSPECIFIED = 0', 'STATE_UNKNOWN = 0'), '_UNSPECIFIED'],
  ])('ensure it refuses %s', (_name, change, complaint) => {
    using contract = editedContract([change]);
    const lint = buf(contract.folder, 'lint', '--error-format', 'text');
    expect(lint).toMatchObject({ status: 100, stdout: expect.stringContaining('proto/orders/v1/') });
    expect(lint.stdout).toContain(complaint);
  });

  test('ensure it takes a new method that is written like the others, and a policy is found on it', () => {
    const added = harmlessChanges.find(({ name }) => name.startsWith('method added'));
    using contract = editedContract(added?.edits ?? []);
    expect(buf(contract.folder, 'lint')).toEqual({ status: 0, stdout: '' });
    expect(buf(contract.folder, 'format', '--diff', '--exit-code')).toEqual({ status: 0, stdout: '' });
    requireContractPolicies(contract.folder);
  });
});

test('ensure buf format refuses what is not formatted', () => {
  using contract = editedContract([edit(order, '  string id = 1;', '    string id=1;')]);
  expect(buf(contract.folder, 'format', '--diff', '--exit-code')).toMatchObject({ status: 100 });
});

describe('the policy of every method', () => {
  const policy = (deadline: string, scopes: string) =>
    `    option (policy.v1.method) = {\n      deadline: {seconds: ${deadline}}\n      scopes: [${scopes}]\n    };\n`;
  const getOrder = policy('1', '"orders:read"');

  test.each([
    ['no policy', '', 'orders.v1.OrderService.GetOrder has no option (policy.v1.method)'],
    [
      'a deadline of nothing',
      policy('0', '"orders:read"'),
      'orders.v1.OrderService.GetOrder: policy.v1.method.deadline',
    ],
    ['no scope', policy('1', ''), 'orders.v1.OrderService.GetOrder: policy.v1.method.scopes is empty'],
  ])('ensure a method with %s is named, before anything is generated', (_name, replacement, refusal) => {
    using contract = editedContract([edit(orderService, getOrder, replacement)]);
    expect(() => requireContractPolicies(contract.folder)).toThrow(refusal);
  });

  test('ensure a contract that does not compile is not taken for one with policies', () => {
    using contract = editedContract([edit(order, 'message Order {', 'message Order')]);
    expect(() => requireContractPolicies(contract.folder)).toThrow('proto/orders/v1/order.proto');
  });
});

describe('generated code', () => {
  test('ensure a contract that was changed without generating is noticed', () => {
    using contract = editedContract([edit(order, 'string reject_reason = 8', 'string reason = 8')]);
    expect(generatedDrift(contract.folder)).toBe(
      'not what the contract says: orders/v1/order_pb.ts: npm run generate',
    );
  });

  test('ensure an edit of generated code is noticed', () => {
    using contract = editedContract([]);
    expect(generatedDrift(contract.folder)).toBeUndefined();
    const file = join(contract.folder, 'gen/src/orders/v1/order_pb.ts');
    writeFileSync(file, `${readFileSync(file, 'utf8')}\nexport const mine = 1;\n`);
    expect(generatedDrift(contract.folder)).toContain('orders/v1/order_pb.ts');
  });
});

test('ensure CI and version managers take the Node that npm scripts run on', () => {
  const read = (file: string) => readFileSync(join(repository, file), 'utf8');
  const [major] = JSON.parse(read('package.json')).devDependencies.node.split('.');
  expect(read('.nvmrc').trim()).toBe(major);
  expect(read('.github/workflows/ci.yml')).toContain(`name: the pinned Node, node: '${major}'`);
});
