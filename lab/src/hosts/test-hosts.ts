import { fileURLToPath } from 'node:url';
import { fail, integer, interruptSignal, parseCommandLine } from '@acme/dev/cli';
import { openTemporaryFolder } from '../harness/temporary-folder.ts';
import { runInNamespaces } from './run-in-namespaces.ts';

const { values } = parseCommandLine({
  call: 'npm run test:hosts',
  summary: `Runs the pair on two hosts, which are network namespaces of their own: replicas join and leave, and one host is cut off for a
while. Needs Linux, root or sudo without a password, and iproute2.`,
  options: { rounds: integer('N', 'rounds of each scenario. Default: 1', { from: 1 }) },
});

try {
  const program = fileURLToPath(import.meta.resolve('./run-hosts.ts'));
  const interrupted = interruptSignal();
  await using folder = await openTemporaryFolder('hosts-');
  const args = [folder.path, String(values.rounds ?? 1)];
  process.exitCode = await runInNamespaces(program, args, interrupted);
} catch (error) {
  process.stdout.write('hosts: 0 passed, 1 failed\n');
  fail(error);
}
