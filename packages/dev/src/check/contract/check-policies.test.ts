import type { Policies } from '@acme/rpc/contract';
import { expect, test, vi } from 'vitest';
import { checkPolicies } from './check-policies.ts';
import { openContract } from './contract-images.ts';
import { copyContract, edit } from './testing/contract-copy.ts';

vi.setConfig({ testTimeout: 60_000 });

const order = 'shop/v1/order.proto';
const orderService = 'shop/v1/order_service.proto';

function problemsIn(folder: string, policies?: Policies): string | undefined {
  using contract = openContract(folder);
  return checkPolicies(contract.present(), policies);
}

const policy = (deadline: string, scopes: string) =>
  `    option (policy.v1.method) = {\n      deadline: {seconds: ${deadline}}\n      scopes: [${scopes}]\n    };\n`;
const getOrder = policy('1', '"orders:read"');

test.each([
  ['no policy', '', 'shop.v1.OrderService/GetOrder has no policy: add the option (policy.v1.method)'],
  [
    'a deadline of zero',
    policy('0', '"orders:read"'),
    'shop.v1.OrderService/GetOrder: policy.v1.method.deadline',
  ],
  [
    'an error reason that is misspelt',
    getOrder.replace('    };', '      errors: [{reason: "order-not-found" code: "NOT_FOUND"}]\n    };'),
    'shop.v1.OrderService/GetOrder: policy.v1.method.errors order-not-found: reason',
  ],
  [
    'an error reason without a status code',
    getOrder.replace('    };', '      errors: [{reason: "ORDER_NOT_FOUND" code: "MISSING"}]\n    };'),
    'shop.v1.OrderService/GetOrder: policy.v1.method.errors ORDER_NOT_FOUND: code',
  ],
  ['no scope', policy('1', ''), 'shop.v1.OrderService/GetOrder: policy.v1.method.scopes is empty'],
])('a method with %s is reported', (_name, replacement, error) => {
  using contract = copyContract([edit(orderService, getOrder, replacement)]);
  expect(problemsIn(contract.folder)).toContain(error);
});

const withoutPolicy = () => copyContract([edit(orderService, getOrder, '')]);
const inCode = { deadlineMs: 1000, scopes: [] };

test('a method whose policy is in code is not reported', () => {
  using contract = withoutPolicy();
  expect(problemsIn(contract.folder, { 'shop.v1.OrderService/GetOrder': inCode })).toBe(undefined);
});

test('a policy in code is reported if it names nothing, or a method whose contract has one', () => {
  using contract = withoutPolicy();
  expect(
    problemsIn(contract.folder, { 'shop.v1.OrderService/GetOrder': inCode, 'shop.v1.Orders': inCode }),
  ).toContain("policies['shop.v1.Orders'] names no method and no service");
  using whole = copyContract([]);
  expect(problemsIn(whole.folder, { 'shop.v1.OrderService/GetOrder': inCode })).toContain(
    'shop.v1.OrderService/GetOrder has a policy in its contract, and another one in policies',
  );
});

test('an anonymous method is not reported', () => {
  const anonymous = getOrder.replace('scopes: ["orders:read"]', 'anonymous: true');
  using contract = copyContract([edit(orderService, getOrder, anonymous)]);
  expect(problemsIn(contract.folder)).toBe(undefined);
});

test('a contract that does not compile fails the check', () => {
  using contract = copyContract([edit(order, 'message Order {', 'message Order')]);
  expect(() => problemsIn(contract.folder)).toThrow('proto/shop/v1/order.proto');
});
