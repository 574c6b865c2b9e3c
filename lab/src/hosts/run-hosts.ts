// The first process of its namespaces, started by `test-hosts.ts`: node run-hosts.ts FOLDER ROUNDS.
import { execFileSync } from 'node:child_process';
import { cp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { errorText } from '@acme/dev/cli';
import { makeTemporaryFolder } from '../harness/temporary-folder.ts';
import { withTimeout } from '../harness/with-timeout.ts';
import { runScenarios } from './scenarios.ts';
import { startTwoHosts } from './two-hosts.ts';

process.stdin.on('end', () => process.exit(130)).resume();

/** Gets a file system in memory, which vanishes with the namespaces. */
const [folder = '', rounds] = process.argv.slice(2);
/** Several times that of a round, and of the set-up, on two cores. */
const roundTimeoutMs = 300_000;
const machineFolder = tmpdir();
execFileSync('mount', ['-t', 'tmpfs', '-o', 'mode=711', 'tmpfs', folder]);
process.env.TMPDIR = folder;

let failed = 0;
let passed = 0;
try {
  await using hosts = await startTwoHosts(folder);
  const timeoutMs = roundTimeoutMs * (1 + Number(rounds));
  const results = await withTimeout(
    timeoutMs,
    'the end of the scenarios',
    runScenarios(hosts, Number(rounds)),
  );
  ({ passed, failed } = results);
} catch (error) {
  process.stdout.write(`FAIL ${errorText(error)}\n`);
  failed++;
}
if (failed > 0) {
  const evidence = await makeTemporaryFolder('hosts-', machineFolder);
  await cp(join(folder, 'logs'), evidence, { recursive: true });
  process.stdout.write(`logs: ${evidence}\n`);
}
process.stdout.write(`hosts: ${passed} passed, ${failed} failed\n`);
process.exit(failed > 0 ? 1 : 0);
