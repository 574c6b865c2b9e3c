// The first process of its namespaces, started by `test-hosts.ts`: node run-hosts.ts ROUNDS.
import { execFileSync } from 'node:child_process';
import { cp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { errorText } from '@acme/dev/cli';
import { makeTemporaryFolder } from '../harness/temporary-folder.ts';
import { runScenarios } from './scenarios.ts';
import { startTwoHosts } from './two-hosts.ts';

process.stdin.on('end', () => process.exit(130)).resume();

/** A file system in memory, which vanishes with the namespaces. */
const folder = '/mnt';
const machineFolder = tmpdir();
execFileSync('mount', ['-t', 'tmpfs', '-o', 'mode=711', 'tmpfs', folder]);
process.env.TMPDIR = folder;

let failed = 0;
let passed = 0;
try {
  await using hosts = await startTwoHosts(folder);
  const results = await runScenarios(hosts, Number(process.argv[2]));
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
