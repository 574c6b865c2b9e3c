import { spawnSync } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { parseCommandLine } from '@acme/dev/cli';
import { root, services, targetOf } from '@acme/dev/repository';
import { startServices } from '@acme/dev/start';
import { reportSetUpFailure } from '../harness/report-set-up-failure.ts';
import { runSteps } from '../harness/run-steps.ts';
import { openTemporaryFolder } from '../harness/temporary-folder.ts';
import { runIn } from '../packages/run-in.ts';
import { snippetsOf } from './snippets.ts';

parseCommandLine({
  call: 'npm run test:clients',
  summary: `Runs the clients in Go, Python, curl and TypeScript of docs/clients.md against the services. A language that is not installed is
skipped, which CI forbids.`,
});
reportSetUpFailure('clients', 'npm run test:clients');

interface Client {
  readonly heading: string;
  /** Command that succeeds where the language is installed. */
  readonly installed: readonly [command: string, ...args: string[]];
  /** Commands in place of those of the document, which has none. */
  readonly script?: string;
  /** Texts of its output, in their order: a placed order, an error reason, a violation. */
  readonly output: RegExp;
}

const clients: readonly Client[] = [
  {
    heading: 'Go',
    installed: ['go', 'version'],
    output:
      /^placed: STATE_CONFIRMED\nfailed: NotFound\n {2}reason: ORDER_NOT_FOUND\nfailed: InvalidArgument\n {2}id: must/m,
  },
  {
    heading: 'Python',
    installed: ['python3', '-m', 'venv', '--help'],
    output:
      /^placed: STATE_CONFIRMED\nfailed: NOT_FOUND\n {2}reason: ORDER_NOT_FOUND\nfailed: INVALID_ARGUMENT\n {2}id: must/m,
  },
  {
    heading: 'curl',
    installed: ['curl', '--version'],
    output:
      /"STATE_CONFIRMED".*\n.*"not_found".*"ORDER_NOT_FOUND".*\n.*"invalid_argument".*"fieldViolations"/,
  },
  {
    // In Node, whose fetch is that of a browser, with the variables that the document declares.
    heading: 'TypeScript in a browser',
    installed: ['node', '--version'],
    script: `ln -s "$REPOSITORY/node_modules" .
{ echo 'const webTarget = process.env.WEB_TARGET, token = process.env.TOKEN;'; cat client.ts; } > main.ts
node main.ts`,
    output: /^placed: 2\nfailed: 5 ORDER_NOT_FOUND\nfailed: 3 id$/m,
  },
];

const document = await readFile(join(root, 'docs/clients.md'), 'utf8');
await using folder = await openTemporaryFolder('clients-');
await using running = {
  ...(await startServices({
    dataFolder: join(folder.path, 'services'),
    services,
    ports: Object.fromEntries(services.map(({ name }) => [name, 0])),
    webPorts: { orders: 0 },
    onStep: () => {},
  })),
  async [Symbol.asyncDispose]() {
    await this.close();
  },
};
for (const { name, seed } of services)
  await seed?.({ target: targetOf(running, name), token: running.token });
const environment = {
  REPOSITORY: root,
  TARGET: targetOf(running, 'orders'),
  WEB_TARGET: running.webTargets.orders ?? '',
  TOKEN: await running.token('alice', ['orders:write', 'orders:read']),
  PATH: `${join(root, 'node_modules/.bin')}${delimiter}${process.env.PATH}`,
};

const steps = clients.flatMap((client): [string, () => Promise<void>][] => {
  const [command, ...args] = client.installed;
  if (process.env.CI || spawnSync(command, args).status === 0)
    return [[`the ${client.heading} client of docs/clients.md`, () => runClient(client)]];
  process.stdout.write(`skip the ${client.heading} client: ${client.installed.join(' ')} fails\n`);
  return [];
});
await runSteps('clients', Object.fromEntries(steps));

async function runClient(client: Client): Promise<void> {
  const { heading, output } = client;
  const { files, script } = snippetsOf(document, heading);
  const commands = client.script ?? script;
  const path = join(folder.path, heading);
  await mkdir(path);
  for (const [name, text] of files) await writeFile(join(path, name), text);
  const printed = await runIn(path, environment, 'bash', '-e', '-c', commands);
  if (!output.test(printed)) throw new Error(`it prints something else:\n${printed}`);
}
