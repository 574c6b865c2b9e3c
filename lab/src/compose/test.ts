import { randomBytes } from 'node:crypto';
import { mkdtempDisposable, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fail, parseCommandLine } from '@acme/dev/cli';
import { findBaseImages } from './base-images.ts';
import { checkConsole } from './check-console.ts';
import { checkHardening } from './check-hardening.ts';
import { createChecklist } from './checklist.ts';
import { docker } from './docker.ts';
import { replayWithFaults } from './replay-with-faults.ts';
import { sampleOrders } from './sample-orders.ts';
import { openStack } from './stack.ts';

const sampleCount = 2000;

const {
  positionals: [given],
} = parseCommandLine({
  call: 'npm run test:compose',
  summary:
    'Kills replicas and the database of the Compose stack while the orders of a file, or sample orders, are placed.',
  positionals: ['[FILE]'],
});
const say = (line: string) => process.stdout.write(`${line}\n`);

// SIGINT and SIGTERM stop the test and take the stack down. A second signal exits at once.
const interrupted = new AbortController();
for (const name of ['SIGINT', 'SIGTERM'] as const)
  process.on(name, () => {
    if (interrupted.signal.aborted) process.exit(1);
    say('taking the stack down');
    interrupted.abort();
  });

try {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'compose-test-'));
  const images = await findBaseImages(say);
  await using stack = await openStack(
    `saturday-test-${randomBytes(4).toString('hex')}`,
    images.postgres,
    interrupted.signal,
  );

  const file = given ? resolve(given) : join(folder.path, 'orders.ndjson');
  if (!given) await writeFile(file, sampleOrders(sampleCount), { mode: 0o644 });

  say('building');
  await stack.compose('build', '--build-arg', `NODE_IMAGE=${images.node}`);
  const sizeOf = async (image: string) =>
    Number(await docker('image', 'inspect', '--format', '{{.Size}}', image)) / 1e6;
  for (const image of ['saturday-orders', 'saturday-inventory', 'saturday-tools'])
    say(
      `${image}: ${((await sizeOf(image)) - (await sizeOf(images.node))).toFixed(1)} MB over ${images.node}`,
    );

  const startMs = performance.now();
  await stack.compose('up', '--detach').catch(async (error: Error) => {
    throw new Error(`${error.message}\n${await stack.compose('logs')}`, { cause: error });
  });
  await stack.untilReady();
  say(`ready ${((performance.now() - startMs) / 1000).toFixed(1)} s after up`);

  const checklist = createChecklist(say, interrupted.signal);
  await checkHardening(stack, checklist, folder.path);
  await checkConsole(stack, checklist);
  await replayWithFaults(stack, checklist, file);
  const { passed, failed } = checklist.counts;
  say(`compose: ${passed} passed, ${failed} failed`);
  if (failed > 0) {
    const log = (await stack.compose('logs', '--no-color')).split('\n');
    say(log.filter((line) => /"level":"(error|fatal)"|"code":"INTERNAL"/.test(line)).join('\n'));
    process.exitCode = 1;
  }
} catch (error) {
  fail(interrupted.signal.aborted ? 'interrupted' : error);
}
