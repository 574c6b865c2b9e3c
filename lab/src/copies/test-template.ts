import { chmod } from 'node:fs/promises';
import { join } from 'node:path';
import { services } from '@acme/dev/repository/services';
import { copyRepository } from './repository-copy.ts';
import { runSteps } from './run-steps.ts';
import { startProgram } from './start-program.ts';

// Makes two services of the template in a private copy of the repository, and does there what their maker does next. Their
// names are ones that nobody's own service has.
await using copy = await copyRepository();
// When root runs this, the database does as somebody else, who must get through.
await chmod(copy.path, 0o755);
const data = join(copy.path, '.data');

const program = (name: string, ...args: string[]) =>
  startProgram(copy.path, 'packages/dev/src/svc.ts', name, ...args);

await runSteps('template', {
  'new:service -- specimens': () => program('new', 'specimens').succeeds(),
  'new:service -- sampling --rpc …': () =>
    program('new', 'sampling', '--rpc', 'Charge,GetInvoice,ListInvoices,GetRefund,CreateDiscount').succeeds(),
  check: () => program('check').succeeds(),
  "the new services' own tests": () =>
    startProgram(
      copy.path,
      'node_modules/vitest/vitest.mjs',
      'run',
      'services/specimens',
      'services/sampling',
    ).succeeds(),
  'start, and a call of each': async () => {
    const ports = [...services.map(({ name }) => name), 'specimens', 'sampling'].flatMap((name) => [
      `--${name}-port`,
      '0',
      `--${name}-metrics-port`,
      '0',
    ]);
    await using started = program('start', '--data', data, ...ports);
    await started.printed('Ready.');
    const charge = { request_id: crypto.randomUUID() };
    const specimen = { ...charge, title: 'the first' };
    const call = (method: string, request: object) =>
      program('call', method, JSON.stringify(request), '--data', data);
    await call('specimens.v1.SpecimenService/CreateSpecimen', specimen).answers(/"title": "the first"/);
    await call('specimens.v1.SpecimenService/ListSpecimens', {}).answers(/"specimens": \[\n/);
    await call('sampling.v1.SamplingService/ListInvoices', {}).answers(/\{\}/);
    await call('sampling.v1.SamplingService/Charge', charge).fails(
      /^UNIMPLEMENTED: Charge is in the contract/,
    );
    started.child.kill('SIGTERM');
    await started.succeeds();
  },
});
