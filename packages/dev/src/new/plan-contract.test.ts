import { mkdirSync, mkdtempDisposableSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { planContract } from './plan-contract.ts';

const file = 'payments/v1/payment_service.proto';
const policies = {
  'payments.v1.PaymentService/Pay': { deadlineMs: 1000, scopes: [] },
  'payments.v1.PaymentService/Watch': { deadlineMs: 1000, scopes: [] },
};

const contract = `syntax = "proto3";
package payments.v1;
message Request {}
message Response {}
service PaymentService {
  rpc Pay(Request) returns (Response);
  rpc Watch(Request) returns (stream Response);
}
`;

/** Plans the service of the contract, after a text in it was replaced. */
function plan([from, to]: readonly [string, string] = ['', ''], path = file) {
  using folder = mkdtempDisposableSync(join(tmpdir(), 'contract-'));
  const written = join(folder.path, 'proto', file);
  mkdirSync(dirname(written), { recursive: true });
  writeFileSync(written, contract.replaceAll(from, to));
  writeFileSync(join(folder.path, 'buf.yaml'), 'version: v2\nmodules:\n  - path: proto\n');
  return planContract(folder.path, path, { calls: undefined, policies });
}

test('a service is planned from its contract, whose methods it has to write', () => {
  const planned = plan();
  expect(planned).toMatchObject({ service: 'payments', stem: 'Payment' });
  expect(planned.rpcs).toEqual([
    { name: 'Pay', kind: 'contract', served: false, isStream: false },
    { name: 'Watch', kind: 'contract', served: false, isStream: true },
  ]);
  expect(plan(['', ''], `proto/${file}`).service).toBe('payments');
});

test.each<[string, readonly [string, string], string]>([
  ['a package without a version', ['payments.v1', 'payments'], 'name its package after the service'],
  ['a name in two words', ['payments.v1', 'pay_ments.v1'], '"pay_ments" is not a valid service name'],
  ['another suffix', ['PaymentService', 'Payments'], 'name the service PaymentsService'],
  ['a method without a policy', ['rpc Pay(', 'rpc Refund('], 'Refund'],
  ['no service', [contract.slice(contract.indexOf('service')), ''], 'has 0 services'],
  ['a contract that does not compile', ['Response {}', 'Response {'], 'unmatched'],
])('%s is rejected', (_what, change, problem) => {
  expect(() => plan(change)).toThrow(problem);
});

test('a file that does not exist is rejected', () => {
  expect(() => plan(['', ''], 'payments/v1/none.proto')).toThrow(
    'proto/payments/v1/none.proto does not exist',
  );
});
