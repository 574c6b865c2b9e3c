import { readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseCommandLine, runCommand } from '@acme/dev/cli';
import { root } from '@acme/dev/repository';
import { applyEdit } from '../harness/apply-edit.ts';
import { reportSetUpFailure } from '../harness/report-set-up-failure.ts';
import { runSteps } from '../harness/run-steps.ts';
import { copyPrograms } from './copy-programs.ts';
import { copyRepository } from './copy-repository.ts';
import { type PaymentBug, paymentBugs } from './payment-bugs.ts';
import { requireSinglePlaces } from './worked-examples.ts';

parseCommandLine({
  call: 'npm run test:guide',
  summary:
    'Applies the worked examples of the guides to copies of the repository, and checks and tests the results.',
});
reportSetUpFailure('guide', 'npm run test:guide');

await using stack = new AsyncDisposableStack();
const copies = {
  field: stack.use(await copyRepository()).path,
  step: stack.use(await copyRepository()).path,
};

/**
 * Applies a worked example. git merges it if it has the files that the example was made from. In a shallow clone it
 * requires the whole context of each hunk, which `requireSinglePlaces` holds to one place.
 */
function apply(folder: string, example: string): void {
  try {
    requireSinglePlaces(example);
    runCommand(folder, 'git', 'am', '--3way', join(root, example));
  } catch (error) {
    throw new Error(`The worked example needs an update, because the code that it changes has changed. In a clone:
  git am --3way ${example}
  resolve the conflicts, git add, git am --continue
  git format-patch -1 --full-index --zero-commit --no-signature --stdout > the same file

${(error as Error).message}`);
  }
}

/** Returns the steps that generate and check the code of a copy. */
function checks(folder: string) {
  return {
    'the code is generated': () => copyPrograms(folder).svc('generate').succeeds(),
    'the contract passes buf lint': () => void runCommand(folder, 'buf', 'lint'),
    'the contract passes buf breaking': () =>
      void runCommand(folder, 'buf', 'breaking', 'proto', '--against', join(root, 'proto')),
    'the code compiles': () => void runCommand(folder, 'tsc', '--noEmit', '--project', '.'),
  };
}

const addField = 'docs/examples/add-a-field.patch';

await runSteps('guide to a field', {
  [`${addField} applies`]: () => apply(copies.field, addField),
  ...checks(copies.field),
  'the test of the example passes': () =>
    copyPrograms(copies.field).test('placing-twice', '-t', 'another note').succeeds(),
});

const addStep = 'docs/examples/add-a-step.patch';
const paymentTests = 'lab/src/payments';
const { call, start, test } = copyPrograms(copies.step);

async function catches({ edit, caughtBy }: PaymentBug): Promise<void> {
  const file = join(copies.step, edit.file);
  const text = await readFile(file, 'utf8');
  await writeFile(file, applyEdit(text, edit));
  await test(paymentTests, '-t', caughtBy).fails(/AssertionError/);
  await writeFile(file, text);
}

/** Starts all services, which gives orders a token for each service that it calls, and places orders. */
async function placePaidOrders(): Promise<void> {
  await using started = start(['inventory', 'payments', 'orders']);
  await started.printed('Ready.');
  const place = (quantity: number) => {
    const request = { request_id: crypto.randomUUID(), lines: [{ sku: 'SAT-0001', quantity }] };
    return call('orders.v1.OrderService/PlaceOrder', request);
  };
  await place(2).prints(/STATE_CONFIRMED/);
  await place(2000).fails(/PAYMENT_DECLINED/);
  started.child.kill('SIGTERM');
  await started.succeeds();
}

await runSteps('guide to a step', {
  [`${addStep} applies`]: () => apply(copies.step, addStep),
  // As npm install does.
  'payments is linked': () =>
    symlink('../../services/payments', join(copies.step, 'node_modules/@acme/payments'), 'dir'),
  ...checks(copies.step),
  'the tests of orders pass': () => test('services/orders', 'test/src/orders').succeeds(),
  'npm start places an order that is paid': placePaidOrders,
  'the tests of the payment pass': () => test(paymentTests).succeeds(),
  ...Object.fromEntries(
    paymentBugs.map((bug) => [`the tests catch a planted bug: ${bug.what}`, () => catches(bug)]),
  ),
});
