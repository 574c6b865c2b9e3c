import { spawnSync } from 'node:child_process';
import { existsSync, globSync, readdirSync } from 'node:fs';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { parseCommandLine, reject, runCommand } from '@acme/dev/cli';
import { reportSetUpFailure } from '../harness/report-set-up-failure.ts';
import { runSteps } from '../harness/run-steps.ts';
import { openTemporaryFolder } from '../harness/temporary-folder.ts';
import { packKit, publishKit, publishPatch } from '../packages/publish-kit.ts';
import { runIn } from '../packages/run-in.ts';
import { startRegistry } from '../packages/start-registry.ts';
import { type Copy, makeCopy } from './adopted-copy.ts';
import { copyRepository } from './copy-repository.ts';
import { ownedLines, printOwnedLines } from './owned-lines.ts';

// Makes the four copies of `adopt`, adds two services to each, then checks, tests, starts and calls them. Makes one with the lab, and one
// whose kit a registry updates.

/** Maximum number of lines that a copy without the examples, with the installed kit and one service owns: a copy must not grow. */
const maxOwnedLines = 2500;

const kits = ['vendored', 'installed'];
const all = ['none', 'orders,inventory'].flatMap((services) =>
  kits.map((kit) => ({ services, kit, title: `${services}, ${kit}` })),
);
const [withLab, fromRegistry] = ['with the lab', 'from a registry'];
const titles = [...all.map(({ title }) => title), withLab, fromRegistry];
const {
  positionals: [only = ''],
} = parseCommandLine({
  call: 'npm run test:adopt',
  summary: 'Makes the copies of adopt, adds services to each, then checks, tests, starts and calls them.',
  positionals: ['[COPY]'],
  details: `COPY is one of these, or a part of several:\n${titles.map((title) => `  ${title}`).join('\n')}`,
});
reportSetUpFailure('adopt', 'npm run test:adopt');
const copies = all.filter(({ title }) => title.includes(only));
if (!titles.some((title) => title.includes(only)))
  reject(`there is no copy "${only}": the copies are ${titles.join('; ')}`);

for (const { services, kit, title } of copies) {
  await using copy = await makeCopy(kit === 'installed');
  const adopt = (...more: string[]) =>
    copy.adopt('--scope', '@initech', '--name', 'initech', '--services', services, '--kit', kit, ...more);
  await runSteps(`adopt ${services.replace(',', ' ')} ${kit}`, {
    ...(title === 'none, vendored' && {
      'uncommitted changes are rejected': () => rejectsChanges(copy),
      'a step that fails leaves the repository as it was': () => restoresFiles(copy),
    }),
    ...(kit === 'installed' && {
      'npm run pack makes the tarballs': () => copy.program('packages/dev/src/pack/pack.ts').succeeds(),
    }),
    'the copy is made': () =>
      adopt('--fresh-history', ...(kit === 'installed' ? ['--packages', 'dist/packages'] : [])),
    'no package of the original is left': () => requireNoRemains(copy),
    'no old name is left': () => requireNoNames(copy, services, kit),
    'check passes': () => copy.svc('check').succeeds(),
    'new payments': () => copy.svc('new', 'payments').succeeds(),
    ...(title === 'none, installed' && { 'the copy owns few lines': () => requireFewLines(copy) }),
    'new ledger, with a stream, that calls payments': () =>
      copy.svc('new', 'ledger', '--rpc', 'AuthorizeEntry,WatchEntries', '--calls', 'payments').succeeds(),
    'check passes with the new services, before and after their commit': async () => {
      await copy.svc('check').succeeds();
      copy.commit('Add services');
      await copy.svc('check').succeeds();
    },
    'the tests pass': () => copy.test().succeeds(),
    'the services start, answer calls and stop': () => startAndCall(copy, services),
    'Compose accepts the containers': () => copy.composeConfig(),
    'Prometheus accepts configuration and alerts, which pass their tests': () => copy.promtool(),
    'no old name is left with the new services': () => requireNoNames(copy, services, kit),
  });
}

if (withLab.includes(only)) {
  await using copy = await makeCopy(false);
  await runSteps('adopt with the lab', {
    'the copy is made': () => copy.adopt('--scope', '@initech', '--name', 'initech', '--lab'),
    'no old name is left': () => requireNoNames(copy, 'orders,inventory', 'vendored'),
    'check passes': () => copy.svc('check').succeeds(),
    'the tests of documents and of the lab pass': () => copy.test('packages/dev/src/docs', 'lab').succeeds(),
  });
}

if (fromRegistry.includes(only)) {
  await using registry = await startRegistry();
  await using copy = await copyRepository(false);
  const run = async (command: string, ...args: string[]) =>
    void (await runIn(copy.path, registry.environment, command, ...args));
  await runSteps('adopt from a registry', {
    'the kit is published': async () => {
      await packKit();
      await publishKit(registry.environment);
    },
    'the copy is made': async () => {
      await run('npm', 'ci', '--no-audit', '--no-fund');
      const options = [
        '--scope',
        '@initech',
        '--name',
        'initech',
        '--services',
        'none',
        '--kit',
        'installed',
      ];
      await run(process.execPath, 'packages/dev/src/adopt/adopt.ts', ...options, '--fresh-history');
    },
    'check passes with a new service': async () => {
      await run('npx', 'svc', 'new', 'payments');
      await run('npx', 'svc', 'check');
    },
    'npm update brings a patched kit, and check passes': async () => {
      const version = await publishPatch(registry.environment);
      await run('npm', 'update', '--no-audit', '--no-fund');
      const installed = await readFile(join(copy.path, 'node_modules/@acme/rpc/package.json'), 'utf8');
      if (JSON.parse(installed).version !== version) throw new Error(installed);
      await run('npx', 'svc', 'generate');
      await run('npx', 'svc', 'check');
    },
  });
}

async function rejectsChanges(copy: Copy): Promise<void> {
  const file = join(copy.path, 'mine.txt');
  await writeFile(file, 'not committed');
  await copy
    .program('packages/dev/src/adopt/adopt.ts', '--scope', '@initech', '--name', 'initech')
    .fails(/commit or stash first\n\?\? mine\.txt/);
  await rm(file);
}

/** Makes a command of `adopt` fail, in the midst of the edits and in the last step. */
async function restoresFiles(copy: Copy): Promise<void> {
  const scripts = {
    git: `[ "$1 $2" = "ls-files --cached" ] && exit 1\nPATH=$ORIGINAL_PATH exec git "$@"`,
    npm: 'exit 1',
  };
  const links = () => readdirSync(join(copy.path, 'node_modules/@acme')).join();
  const before = links();
  for (const [name, script] of Object.entries(scripts)) {
    await using folder = await openTemporaryFolder('failing-');
    await writeFile(join(folder.path, name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
    const options = ['--scope', '@initech', '--name', 'initech', '--services', 'none'];
    const { PATH = '' } = process.env;
    const { stderr } = spawnSync(process.execPath, ['packages/dev/src/adopt/adopt.ts', ...options], {
      cwd: copy.path,
      encoding: 'utf8',
      env: { ...process.env, ORIGINAL_PATH: PATH, PATH: `${folder.path}${delimiter}${PATH}` },
    });
    if (!stderr.startsWith(`${name} `) || !stderr.includes('The repository is as it was'))
      throw new Error(`${name} fails, and adopt prints: ${stderr}`);
    const changes = runCommand(copy.path, 'git', 'status', '--porcelain');
    if (changes !== '') throw new Error(`${name} fails, and changes are left:\n${changes}`);
    if (links() !== before) throw new Error(`${name} fails, and other links are left: ${links()}`);
  }
}

/** Requires that the folders that git ignores have no packages of the original, nor links to them. */
function requireNoRemains(copy: Copy): void {
  if (existsSync(join(copy.path, 'dist'))) throw new Error('dist is left');
  const links = globSync('node_modules/@*/*', { cwd: copy.path });
  const dead = links.filter((link) => !existsSync(join(copy.path, link)));
  if (dead.length > 0) throw new Error(`links without a package are left: ${dead.join(', ')}`);
}

/** The vendored packages' own tests and examples have a shop with orders and stock. */
async function requireNoNames(copy: Copy, services: string, kit: string): Promise<void> {
  const names = [
    'saturday',
    ...(kit === 'vendored' ? ['acme'] : []),
    ...(services === 'none' ? ['orders', 'inventory'] : []),
  ];
  const found = copy.textFiles().flatMap(({ file, lines }) =>
    lines
      .map((line, index) => `${file}:${index + 1}: ${line.trim()}`)
      .filter((line) => names.some((name) => line.toLowerCase().includes(name)) || isForeign(line, kit))
      .filter((line) => !(file.startsWith('packages/') && !/saturday|acme/i.test(line))),
  );
  if (found.length > 0)
    throw new Error(
      `${found.length} lines have an old name:\n${found
        .slice(0, 40)
        .map((line) => line.slice(0, 160))
        .join('\n')}`,
    );
}

/** With the installed kit, `@acme` is the scope of the kit's packages and of nothing else. */
function isForeign(line: string, kit: string): boolean {
  const names = line.replaceAll(/@acme\/(rpc|postgres|dev)\b|kit\/acme-(rpc|postgres|dev)-/g, '');
  return kit === 'installed' && /acme/i.test(names);
}

async function startAndCall(copy: Copy, services: string): Promise<void> {
  const names = ['payments', 'ledger', ...(services === 'none' ? [] : services.split(','))];
  await using started = copy.start(names);
  await started.printed('Ready.');
  const request = { request_id: crypto.randomUUID(), title: 'the first' };
  await copy.call('payments.v1.PaymentService/CreatePayment', request).prints(/"title": "the first"/);
  await copy.call('payments.v1.PaymentService/ListPayments', {}).prints(/"payments": \[\n/);
  if (services !== 'none')
    await copy
      .call('inventory.v1.InventoryService/GetStock', { sku: 'SAT-0001' })
      .prints(/"sku": "SAT-0001"/);
  started.child.kill('SIGTERM');
  await started.succeeds();
}

async function requireFewLines(copy: Copy): Promise<void> {
  const owned = ownedLines(copy.textFiles());
  printOwnedLines(owned);
  const total = [...owned.values()].reduce((sum, lines) => sum + lines, 0);
  if (total > maxOwnedLines)
    throw new Error(`the copy owns ${total} lines, and at most ${maxOwnedLines} are permitted`);
}
