import { join } from 'node:path';
import { runCommand } from '@acme/dev/cli';
import { root } from '@acme/dev/repository';
import { copyRepository } from './copy-repository.ts';
import { runSteps } from './run-steps.ts';
import { startProgram } from './start-program.ts';

// Applies the worked example of docs/evolve-a-contract.md to a copy of the repository, and checks and tests the result.
const example = 'docs/examples/add-a-field.patch';

const needsUpdate = `The worked example needs an update, because the code that it changes has changed. In a clone:
  git am --3way ${example}
  resolve the conflicts, git add, git am --continue
  git format-patch -1 --full-index -U1 --zero-commit --no-signature --stdout > the same file`;

await using copy = await copyRepository();
const run = (command: string, ...args: string[]) => void runCommand(copy.path, command, ...args);
const start = (file: string, ...args: string[]) => startProgram(copy.path, file, ...args).succeeds();

await runSteps('guide', {
  [`${example} applies`]: () => {
    try {
      // Three-way, so that changes elsewhere in the same files, and files that were moved, do not matter.
      run('git', 'am', '--3way', '-C1', join(root, example));
    } catch (error) {
      throw new Error(`${needsUpdate}\n\n${(error as Error).message}`);
    }
  },
  'the code is generated': () => start('packages/dev/src/svc.ts', 'generate'),
  'the contract passes buf lint': () => run('buf', 'lint'),
  'the contract passes buf breaking': () => run('buf', 'breaking', 'proto', '--against', join(root, 'proto')),
  'the code compiles': () => run('tsc', '--noEmit', '--project', '.'),
  'the test of the example passes': () =>
    start('node_modules/vitest/vitest.mjs', 'run', 'placing-twice', '-t', 'another note'),
});
