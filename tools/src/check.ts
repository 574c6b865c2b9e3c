import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { contractBase } from './contract-base.ts';
import { generatedDrift } from './generated-drift.ts';
import { root } from './paths.ts';
import { printValidateProto } from './print-validate-proto.ts';

/** Gives what is wrong, or undefined. */
type Check = () => string | undefined;

const checks: Record<string, Check> = {
  'format, lint and import rule': () => run('biome', 'ci', '--colors=off', '--error-on-warnings', '.'),
  types: () => run('tsc', '--noEmit', '--project', '.'),
  'buf lint': () => run('buf', 'lint'),
  'buf format': () => run('buf', 'format', '--diff', '--exit-code'),
  'buf breaking': () => {
    const base = contractBase();
    return base && run('buf', 'breaking', '--against', `.git#ref=${base}`);
  },
  "protovalidate's contract in step": () =>
    readFileSync(join(root, 'proto/buf/validate/validate.proto'), 'utf8') === printValidateProto()
      ? undefined
      : 'proto/buf/validate/validate.proto is not what the npm package says: npm run generate',
  'generated code in step': generatedDrift,
};

let failed = 0;
for (const [name, check] of Object.entries(checks)) {
  const startMs = performance.now();
  const problem = check();
  const seconds = ((performance.now() - startMs) / 1000).toFixed(1);
  process.stdout.write(`${problem === undefined ? 'ok  ' : 'FAIL'} ${name} (${seconds} s)\n`);
  if (problem === undefined) continue;
  failed += 1;
  process.stdout.write(`${problem.trimEnd()}\n\n`);
}
process.stdout.write(`checks: ${Object.keys(checks).length - failed} passed, ${failed} failed\n`);
process.exitCode = failed > 0 ? 1 : 0;

/** Runs a tool of this repository's; its output when it fails, also when it cannot be started. */
function run(command: string, ...args: string[]): string | undefined {
  const { status, stdout, stderr, error } = spawnSync(command, args, { cwd: root, encoding: 'utf8' });
  return status === 0 ? undefined : (error?.message ?? `${stdout}${stderr}`);
}
