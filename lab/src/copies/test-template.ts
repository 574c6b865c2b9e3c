import { join } from 'node:path';
import { services } from '@acme/dev/repository';
import { copyRepository } from './copy-repository.ts';
import { runSteps } from './run-steps.ts';
import { startProgram } from './start-program.ts';

// Makes two services from the template in a copy of the repository, then checks, tests, starts and calls them.
await using copy = await copyRepository();
const data = join(copy.path, '.data');

const svc = (command: string, ...args: string[]) =>
  startProgram(copy.path, 'packages/dev/src/svc.ts', command, ...args);

await runSteps('template', {
  'new specimens': () => svc('new', 'specimens').succeeds(),
  'new sampling --rpc …': () =>
    svc('new', 'sampling', '--rpc', 'Charge,GetInvoice,ListInvoices,GetRefund,CreateDiscount').succeeds(),
  'check passes': () => svc('check').succeeds(),
  'the tests of the new services pass': () =>
    startProgram(
      copy.path,
      'node_modules/vitest/vitest.mjs',
      'run',
      'services/specimens',
      'services/sampling',
    ).succeeds(),
  'the new services start and answer calls': async () => {
    const ports = [...services.map(({ name }) => name), 'specimens', 'sampling'].flatMap((name) => [
      `--${name}-port`,
      '0',
      `--${name}-metrics-port`,
      '0',
    ]);
    await using started = svc('start', '--data', data, ...ports);
    await started.printed('Ready.');
    const charge = { request_id: crypto.randomUUID() };
    const specimen = { ...charge, title: 'the first' };
    const call = (method: string, request: object) =>
      svc('call', method, JSON.stringify(request), '--data', data);
    await call('specimens.v1.SpecimenService/CreateSpecimen', specimen).prints(/"title": "the first"/);
    await call('specimens.v1.SpecimenService/ListSpecimens', {}).prints(/"specimens": \[\n/);
    await call('sampling.v1.SamplingService/ListInvoices', {}).prints(/\{\}/);
    await call('sampling.v1.SamplingService/Charge', charge).fails(
      /^UNIMPLEMENTED: Charge is not implemented/,
    );
    started.child.kill('SIGTERM');
    await started.succeeds();
  },
});
