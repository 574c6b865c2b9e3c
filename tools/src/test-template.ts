import { chmod } from 'node:fs/promises';
import { join } from 'node:path';
import { copyRepository } from './repository-copy.ts';
import { runSteps } from './run-steps.ts';
import { startProgram } from './start-program.ts';

// Makes two services of the template in a private copy of the repository, and does there what their maker does next.
await using copy = await copyRepository();
// When root runs this, the database does as somebody else, who must get through.
await chmod(copy.path, 0o755);
const data = join(copy.path, '.data');

const program = (name: string, ...args: string[]) => startProgram(copy.path, `tools/src/${name}.ts`, ...args);

await runSteps('template', {
  'new:service -- payments': () => program('new-service', 'payments').succeeds(),
  'new:service -- billing --rpc …': () =>
    program(
      'new-service',
      'billing',
      '--rpc',
      'Charge,GetInvoice,ListInvoices,GetRefund,CreateDiscount',
    ).succeeds(),
  check: () => program('check').succeeds(),
  "the new services' own tests": () =>
    startProgram(
      copy.path,
      'node_modules/vitest/vitest.mjs',
      'run',
      'services/payments',
      'services/billing',
    ).succeeds(),
  'start, and a call of each': async () => {
    const ports = ['inventory', 'orders', 'payments', 'billing'].flatMap((name) => [`--${name}-port`, '0']);
    await using started = program('start', '--data', data, ...ports);
    await started.printed('Ready.');
    const charge = { request_id: crypto.randomUUID() };
    const payment = { ...charge, title: 'the first' };
    const call = (method: string, request: object) =>
      program('call', method, JSON.stringify(request), '--data', data);
    await call('payments.v1.PaymentService/CreatePayment', payment).answers(/"title": "the first"/);
    await call('payments.v1.PaymentService/ListPayments', {}).answers(/"payments": \[\n/);
    await call('billing.v1.BillingService/ListInvoices', {}).answers(/\{\}/);
    await call('billing.v1.BillingService/Charge', charge).fails(/^UNIMPLEMENTED: Charge is in the contract/);
    started.child.kill('SIGTERM');
    await started.succeeds();
  },
});
