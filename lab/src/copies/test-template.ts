import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseCommandLine } from '@acme/dev/cli';
import { services } from '@acme/dev/repository';
import { reportSetUpFailure } from '../harness/report-set-up-failure.ts';
import { runSteps } from '../harness/run-steps.ts';
import { copyPrograms } from './copy-programs.ts';
import { copyRepository } from './copy-repository.ts';
import { addField } from './new-field.ts';

parseCommandLine({
  call: 'npm run test:template',
  summary:
    'Makes services from the template in a copy of the repository, then checks, tests, starts and calls them.',
});
reportSetUpFailure('template', 'npm run test:template');

await using copy = await copyRepository();
const { svc, call, start, test } = copyPrograms(copy.path);

/** The arguments of each new service. The first are those of README.md. */
const newServices = {
  payments: ['--rpc', 'Authorize,Capture,Void,GetPayment,ListPayments', '--watch'],
  specimens: [],
  ledger: ['--rpc', 'AuthorizeEntry,WatchEntries', '--calls', 'payments'],
  refunds: ['--settle'],
  shipping: [
    ...[
      '--rpc',
      'ScheduleGiftBox,CancelGiftBox,GetGiftBox,UploadLabels,Track:server,Exchange:bidi,Ponder,GetLabel',
    ],
    ...['--calls', 'inventory', '--watch', '--settle'],
  ],
} satisfies Record<string, string[]>;
const names = [...Object.keys(newServices), 'billing'];

/** A contract that is there before its service, with all four kinds of methods. */
const billingContract = `syntax = "proto3";

package billing.v1;

import "policy/v1/policy.proto";

// BillingService bills.
service BillingService {
${[
  ['Charge', 'ChargeRequest', 'ChargeResponse'],
  ['Follow', 'FollowRequest', 'stream FollowResponse'],
  ['Import', 'stream ImportRequest', 'ImportResponse'],
  ['Exchange', 'stream ExchangeRequest', 'stream ExchangeResponse'],
]
  .map(
    ([name, request, response]) => `  // ${name} is a method.
  rpc ${name}(${request}) returns (${response}) {
    option (policy.v1.method) = {
      deadline: {seconds: 2}
      scopes: ["billing:write"]
    };
  }
`,
  )
  .join('\n')}}

${['Charge', 'Follow', 'Import', 'Exchange']
  .flatMap((name) => [`${name}Request`, `${name}Response`])
  .map((name) => `// ${name} is a message.\nmessage ${name} {}\n`)
  .join('\n')}`;

const startAll = (...args: string[]) => start([...services.map(({ name }) => name), ...names], ...args);

await runSteps('template', {
  ...Object.fromEntries(
    Object.entries(newServices).map(([name, args]) => [
      ['new', name, ...args].join(' '),
      () => svc('new', name, ...args).succeeds(),
    ]),
  ),
  'new --proto billing/v1/billing_service.proto': async () => {
    await mkdir(join(copy.path, 'proto/billing/v1'), { recursive: true });
    await writeFile(join(copy.path, 'proto/billing/v1/billing_service.proto'), billingContract);
    await svc('new', '--proto', 'billing/v1/billing_service.proto', '--calls', 'ledger').succeeds();
  },
  'check passes': () => svc('check').succeeds(),
  'the tests of the new services, and those that name services, pass': () =>
    test(
      ...names.map((name) => `services/${name}`),
      ...['new', 'check/compose', 'check/kubernetes', 'check/observability', 'check/deployment', 'docs'].map(
        (folder) => `packages/dev/src/${folder}`,
      ),
    ).succeeds(),
  'the new services start and answer calls': async () => {
    await using started = startAll();
    await started.printed('Ready.');
    const request = { request_id: crypto.randomUUID(), title: 'the first' };
    await call('specimens.v1.SpecimenService/CreateSpecimen', request).prints(/"title": "the first"/);
    await call('specimens.v1.SpecimenService/ListSpecimens', {}).prints(/"specimens": \[\n/);
    await using watch = svc('watch', 'payments');
    await watch.printed('watching');
    await call('payments.v1.PaymentService/Authorize', request).prints(/"state": "STATE_AUTHORIZED"/);
    await watch.printed('"state":"STATE_AUTHORIZED"');
    await call('billing.v1.BillingService/Charge', {}).fails(/^UNIMPLEMENTED: Charge is not implemented/);
    await call('shipping.v1.ShippingService/Ponder', { request_id: request.request_id }).fails(
      /^UNIMPLEMENTED: Ponder is not implemented/,
    );
    started.child.kill('SIGTERM');
    await started.succeeds();
  },
  'a changed migration is explained, and its database is rebuilt': async () => {
    const migration = join(copy.path, 'services/specimens/migrations/0001_specimens.sql');
    await writeFile(migration, `${await readFile(migration, 'utf8')}-- The author goes on.\n`);
    await startAll().fails(/0001_specimens\.sql was changed after it was applied.*--reset specimens/);
    await using started = startAll('--reset', 'specimens');
    await started.printed('Ready.');
    await call('specimens.v1.SpecimenService/ListSpecimens', {}).prints(/^\{\}/);
    await call('payments.v1.PaymentService/ListPayments', {}).prints(/AUTHORIZED/);
    started.child.kill('SIGTERM');
    await started.succeeds();
  },
  'the demo, the faults and npm start run a service that orders calls': async () => {
    const file = join(copy.path, 'services.ts');
    const text = await readFile(file, 'utf8');
    const calls = "calls: { inventory: ['inventory:reserve'] }";
    await writeFile(file, text.replace(calls, calls.replace(' }', ", payments: ['payments:write'] }")));
    await test('lab/src/demo', 'lab/src/faults/faults.test.ts', 'test/src/commands').succeeds();
  },
  'the compiler leads from a new field to every place': () => addField(copy.path),
});
