import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { copyRepository } from './copy-repository.ts';
import { runSteps } from './run-steps.ts';
import { startProgram } from './start-program.ts';

// Adopts two copies of the repository, one with the example services and one without, and checks and tests them.
await using stack = new AsyncDisposableStack();
const copies = { kept: stack.use(await copyRepository()).path, none: stack.use(await copyRepository()).path };

const svc = (folder: string, command: string, ...args: string[]) =>
  startProgram(folder, 'packages/dev/src/svc.ts', command, ...args);
const test = (folder: string, ...filters: string[]) =>
  startProgram(folder, 'node_modules/vitest/vitest.mjs', 'run', ...filters).succeeds();

await runSteps('adopt with the examples', {
  'a tree with uncommitted changes is rejected': async () => {
    const file = join(copies.kept, 'mine.txt');
    await writeFile(file, 'not committed');
    await svc(copies.kept, 'adopt', '--scope', '@mycompany').fails(/commit or stash first\n\?\? mine\.txt/);
    await rm(file);
  },
  'adopt --scope @mycompany': () => svc(copies.kept, 'adopt', '--scope', '@mycompany').succeeds(),
  'check passes': () => svc(copies.kept, 'check').succeeds(),
  'the tests of a store pass': () => test(copies.kept, 'reservation-store'),
});

await runSteps('adopt without the examples', {
  'adopt --scope @mycompany --keep none --fresh-history': () =>
    svc(copies.none, 'adopt', '--scope', '@mycompany', '--keep', 'none', '--fresh-history').succeeds(),
  'check passes without a service': () => svc(copies.none, 'check').succeeds(),
  'new orders': () => svc(copies.none, 'new', 'orders').succeeds(),
  'the tests of the documents pass': () => test(copies.none, 'packages/dev/src/docs'),
  'check passes with the new service': () => svc(copies.none, 'check').succeeds(),
  'the tests of the service and of the packages pass': () =>
    test(
      copies.none,
      'services/orders',
      'packages/rpc/src/call',
      'packages/postgres/src/transaction',
      'packages/dev/src',
    ),
});
