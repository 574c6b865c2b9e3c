import { cp, readFile, rm, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { root, services, targetOf } from '@acme/dev/repository';
import { startServices } from '@acme/dev/start';
import { copyRepository } from '../copies/copy-repository.ts';
import { runSteps } from '../harness/run-steps.ts';
import { openTemporaryFolder } from '../harness/temporary-folder.ts';
import { type ConsumerProject, createConsumerProject } from './consumer-project.ts';
import { checkOtherRepository } from './other-repository.ts';
import { runIn } from './run-in.ts';
import { startRegistry } from './start-registry.ts';

// Publishes the packages to a registry on this machine, and uses them in a project outside of the workspace, on Node 24 and
// on Node 26: a client of orders, a service of the project's own, and a contract that has no policies. Then in a copy.
const nodeVersions = ['24', '26'];

/** The line that a service logs for each call, and the line of the patched kit. */
const callLine = `call.writeLog(defectCodes.has(code) ? 'error' : 'info', fields, 'call')`;
const patchedLine = callLine.replace(`'call')`, `'call, patched')`);

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

await using copy = await copyRepository(false);
const inCopy = async (command: string, ...args: string[]) =>
  void (await runIn(copy.path, registry.environment, command, ...args));
const publish = (folder: string) => runIn(root, registry.environment, '.ci/publish-packages', folder);

await runSteps('packages', {
  'npm run pack builds the packages': async () => {
    process.stdout.write(await runIn(root, {}, process.execPath, 'packages/dev/src/pack/pack.ts'));
  },
  'the packages are published': async () => void (await publish('dist/packages')),
  'a second publication does nothing': async () => {
    const output = await publish('dist/packages');
    if (output.match(/is published$/gm)?.length !== 4) throw new Error(output);
  },
  ...Object.fromEntries(Object.entries(projects).flatMap(([version, project]) => stepsOn(version, project))),
  "the command of contract.yml checks another repository's contract": () =>
    checkOtherRepository(registry.environment),
  'adopt installs the kit from the registry, and a new service passes the checks': async () => {
    await inCopy('npm', 'ci', '--no-audit', '--no-fund');
    await inCopy(
      process.execPath,
      'packages/dev/src/adopt/adopt.ts',
      ...['--scope', '@initech', '--name', 'initech', '--services', 'none', '--kit', 'installed'],
      '--fresh-history',
    );
    await inCopy('npx', 'svc', 'new', 'payments');
    await inCopy('npx', 'svc', 'check');
  },
  // Those on Node 26 are part of npm test.
  'the tests of the packages pass on Node 24': async () => {
    const bin = join(projects['24']?.path ?? '', 'node_modules/node/bin');
    const environment = { PATH: `${bin}${delimiter}${process.env.PATH}` };
    const vitest = join(root, 'node_modules/vitest/vitest.mjs');
    process.stdout.write(
      summaryOf(await runIn(root, environment, join(bin, 'node'), vitest, 'run', 'packages/')),
    );
  },
  'a patched kit is published': async () => {
    const patched = join(data.path, 'patched');
    await cp(join(root, 'dist/packages/rpc'), join(patched, 'rpc'), { recursive: true });
    await replace(join(patched, 'rpc/package.json'), '"version": "0.1.0"', '"version": "0.1.1"');
    await replace(join(patched, 'rpc/dist/chain/logging.js'), callLine, patchedLine);
    await publish(patched);
  },
  'npm update brings the patch to the copy, which passes the checks': async () => {
    await inCopy('npm', 'update', '--no-audit', '--no-fund');
    const installed = await readFile(join(copy.path, 'node_modules/@acme/rpc/package.json'), 'utf8');
    if (JSON.parse(installed).version !== '0.1.1') throw new Error(installed);
    await inCopy('npx', 'svc', 'generate');
    await inCopy('npx', 'svc', 'check');
  },
  ...Object.fromEntries(
    Object.entries(projects).map(([version, project]) => [
      `Node ${version}: npm update brings the patch, and its line acts`,
      async () => {
        await project.run('npm', 'update', '--no-audit', '--no-fund');
        await requireLogged(project, 'call, patched');
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

async function replace(file: string, text: string, replacement: string): Promise<void> {
  const before = await readFile(file, 'utf8');
  if (!before.includes(text)) throw new Error(`${file} does not contain ${text}`);
  await writeFile(file, before.replace(text, replacement));
}
