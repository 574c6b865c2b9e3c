import { readFile, rm } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { parseCommandLine } from '@acme/dev/cli';
import { root, services, targetOf } from '@acme/dev/repository';
import { startServices } from '@acme/dev/start';
import { reportSetUpFailure } from '../harness/report-set-up-failure.ts';
import { runSteps } from '../harness/run-steps.ts';
import { openTemporaryFolder } from '../harness/temporary-folder.ts';
import { type ConsumerProject, createConsumerProject } from './consumer-project.ts';
import { checkOtherRepository } from './other-repository.ts';
import { packKit, patchedMessage, publishKit, publishPatch } from './publish-kit.ts';
import { runIn } from './run-in.ts';
import { startRegistry } from './start-registry.ts';

parseCommandLine({
  call: 'npm run test:packages',
  summary: `Publishes the packages to a registry on this machine, and uses them in a project outside of the workspace, on Node 24 and
on Node 26: a client of orders, a service of the project's own, and a contract that has no policies.`,
});
reportSetUpFailure('packages', 'npm run test:packages');

const nodeVersions = ['24', '26'];

await using registry = await startRegistry();
await using data = await openTemporaryFolder('packages-');
await using running = {
  ...(await startServices({
    dataFolder: join(data.path, 'services'),
    services,
    ports: Object.fromEntries(services.map(({ name }) => [name, 0])),
    onStep: () => {},
  })),
  async [Symbol.asyncDispose]() {
    await this.close();
  },
};
// The catalogue.
for (const { name, seed } of services)
  await seed?.({ target: targetOf(running, name), token: running.token });
const projects: Record<string, ConsumerProject> = {};
await using disposables = new AsyncDisposableStack();
for (const version of nodeVersions)
  projects[version] = disposables.use(await createConsumerProject(version, registry.environment));

await runSteps('packages', {
  'npm run pack builds the packages': async () => {
    process.stdout.write(await packKit());
  },
  'the packages are published': async () => void (await publishKit(registry.environment)),
  'a second publication does nothing': async () => {
    const output = await publishKit(registry.environment);
    if (output.match(/is published$/gm)?.length !== 4) throw new Error(output);
  },
  ...Object.fromEntries(Object.entries(projects).flatMap(([version, project]) => stepsOn(version, project))),
  "the command of contract.yml checks another repository's contract": () =>
    checkOtherRepository(registry.environment),
  // Those on Node 26 are part of npm test.
  'the tests of the packages pass on Node 24': async () => {
    const bin = join(projects['24']?.path ?? '', 'node_modules/node/bin');
    const environment = { PATH: `${bin}${delimiter}${process.env.PATH}` };
    const vitest = join(root, 'node_modules/vitest/vitest.mjs');
    process.stdout.write(
      summaryOf(await runIn(root, environment, join(bin, 'node'), vitest, 'run', 'packages/')),
    );
  },
  'a patched kit is published': async () => void (await publishPatch(registry.environment)),
  ...Object.fromEntries(
    Object.entries(projects).map(([version, project]) => [
      `Node ${version}: npm update brings the patch, and its line acts`,
      async () => {
        await project.run('npm', 'update', '--no-audit', '--no-fund');
        await requireLogged(project, patchedMessage);
      },
    ]),
  ),
});

function stepsOn(version: string, project: ConsumerProject): [string, () => Promise<void>][] {
  const step = (title: string, run: () => Promise<unknown>): [string, () => Promise<void>] => [
    `Node ${version}: ${title}`,
    async () => void (await run()),
  ];
  return [
    step('npm install', async () => {
      await project.run('npm', 'install', '--no-audit', '--no-fund');
      const installed = await project.run('node', '--version');
      if (!installed.startsWith(`v${version}.`)) throw new Error(`the project runs on Node ${installed}`);
    }),
    step('buf lint', () => project.run('buf', 'lint')),
    step('buf generate', () => project.run('buf', 'generate')),
    step('svc check --only contract', () => project.run('svc', 'check', '--only', 'contract')),
    step('the types are checked, those of the packages too', () => project.run('tsc', '--noEmit')),
    step('the tests of the service and of the contract without policies pass', () =>
      project.run('vitest', 'run'),
    ),
    step('the service starts, answers svc call, and logs the call', () => requireLogged(project, 'call')),
    step('a client of orders places an order', async () => {
      const token = await running.token('alice', ['orders:write', 'orders:read']);
      const output = await project.run('node', 'src/place-order.ts', targetOf(running, 'orders'), token);
      if (output !== 'placed: true\n') throw new Error(output);
    }),
    step('import times', async () => {
      for (const entry of ['server', 'client', 'errors'])
        process.stdout.write(`     @acme/rpc/${entry}: ${await importMs(project, entry)} ms\n`);
    }),
  ];
}

/** Starts the service, calls it, and requires that the log has a line of the call with the message. */
async function requireLogged(project: ConsumerProject, message: string): Promise<void> {
  await project.whileStarted(async () => {
    const output = await project.run('svc', 'call', 'greeting.v1.GreetingService/Greet', '{"name": "Ada"}');
    if (!output.includes('alice greets Ada')) throw new Error(output);
  });
  const file = join(project.path, '.data/logs/greeting.log');
  const log = await readFile(file, 'utf8');
  if (!log.includes(`"msg":"${message}"`)) throw new Error(`no line with the message "${message}":\n${log}`);
  await rm(file);
}

/** Returns the line of vitest's output that counts the tests. */
function summaryOf(output: string): string {
  return `${stripVTControlCharacters(output).match(/^ *Tests .*$/m)?.[0] ?? ''}\n`;
}

/** Returns the median of the time in ms to import an entry point in a new process, without the start of Node. */
async function importMs(project: ConsumerProject, entry: string): Promise<string> {
  const program = `const start = performance.now();
    await import('@acme/rpc/${entry}');
    process.stdout.write(String(performance.now() - start));`;
  const times: number[] = [];
  for (let round = 0; round < 5; round++)
    times.push(Number(await project.run('node', '--input-type=module', '--eval', program)));
  return times.toSorted((a, b) => a - b)[2]?.toFixed(0) ?? '';
}
