import { spawnSync } from 'node:child_process';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { copyRepository } from './repository-copy.ts';
import { runSteps } from './run-steps.ts';
import { startProgram } from './start-program.ts';

// Adopts private copies of the repository, with the example services and without, and does there what comes next.
await using stack = new AsyncDisposableStack();
const copies = { kept: stack.use(await copyRepository()).path, none: stack.use(await copyRepository()).path };

function commit(folder: string): void {
  const identity = ['-c', 'user.name=test', '-c', 'user.email=test@example.invalid'];
  for (const args of [
    ['init', '--quiet', '--initial-branch=main'],
    ['add', '--all'],
    [...identity, 'commit', '--quiet', '--message', 'Begin'],
  ]) {
    const { status, stderr } = spawnSync('git', args, { cwd: folder, encoding: 'utf8' });
    if (status !== 0) throw new Error(stderr);
  }
}

const program = (folder: string, name: string, ...args: string[]) =>
  startProgram(folder, 'packages/dev/src/svc.ts', name, ...args);
const tests = (folder: string, ...filters: string[]) =>
  startProgram(folder, 'node_modules/vitest/vitest.mjs', 'run', ...filters).succeeds();

await runSteps('adopt', {
  'a tree with changes is refused': async () => {
    commit(copies.kept);
    const mine = join(copies.kept, 'mine.txt');
    await writeFile(mine, 'not committed');
    await program(copies.kept, 'adopt', '--scope', '@mycompany').fails(
      /commit or stash first\n\?\? mine\.txt/,
    );
    await rm(mine);
  },
  'adopt --scope @mycompany': () => program(copies.kept, 'adopt', '--scope', '@mycompany').succeeds(),
  'its check': () => program(copies.kept, 'check').succeeds(),
  'tests of a service of it': () => tests(copies.kept, 'services/inventory/src/reservation-store'),
  'adopt --scope @mycompany --keep none --fresh-history': async () => {
    commit(copies.none);
    await program(
      copies.none,
      'adopt',
      '--scope',
      '@mycompany',
      '--keep',
      'none',
      '--fresh-history',
    ).succeeds();
  },
  'its check, without services': () => program(copies.none, 'check').succeeds(),
  'new:service in it': () => program(copies.none, 'new', 'orders').succeeds(),
  'its documents': () => tests(copies.none, 'packages/dev/src/docs'),
  'its check, with one': () => program(copies.none, 'check').succeeds(),
  'tests of it': () =>
    tests(
      copies.none,
      'services/orders',
      'packages/rpc/src/policy',
      'packages/postgres/src/query',
      'packages/dev/src',
    ),
});
