import { appendFile, mkdtempDisposable } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { flag, parseCommandLine, requiredText, runCommand, text } from '@acme/dev/cli';
import { root } from '@acme/dev/repository';
import { audience, createSigningKeys, issuer } from '@acme/rpc/testing';
import { openReleasedCode } from '../rolling/released-code.ts';
import { startBenchProcess } from './load/pinned-process.ts';
import { prepareStockLoad } from './load/stock-load.ts';
import { type Change, changeBetween } from './regress/change.ts';
import { regressReport } from './regress/regress-report.ts';
import { prepareServiceStarts } from './regress/service-start.ts';
import { hasProcessorTimes, processorMs } from './turns/processor-time.ts';
import { alternate, type Contender, type Turn, totalUs, type Work, warmUp } from './turns/turns.ts';

/** Compares this checkout with another commit: the full chain, the client and the start of both, in alternating turns. */
const { values } = parseCommandLine({
  call: 'npm run bench -- regress',
  summary:
    'Compares this checkout with another commit: the full chain, the client and the start of both, in alternating turns.',
  options: {
    base: requiredText('REF', 'commit to compare with'),
    short: flag('measures 20 turns of a second instead of 60'),
    report: text('FILE', 'file to which the report is appended, as Markdown'),
  },
});
/** Processes of the same code differ, so each checkout is started several times. */
const { starts, turns } = values.short ? { starts: 2, turns: 10 } : { starts: 4, turns: 15 };

const sides = ['base', 'head'] as const;
type Side = (typeof sides)[number];
type SideContender = Contender<Side, Work>;

await using cleanup = new AsyncDisposableStack();
const commit = runCommand(root, 'git', 'rev-parse', '--short', '--verify', `${values.base}^{commit}`);
const base = cleanup.use(await openReleasedCode(commit));
const folders: Readonly<Record<Side, string>> = { base: base.path, head: root };
const keys = cleanup.use(await createSigningKeys());
const logs = cleanup.use(await mkdtempDisposable(join(tmpdir(), 'bench-regress-')));
const token = await keys.sign({ scope: 'inventory:read', exp: Math.floor(Date.now() / 1000) + 24 * 3600 });
const bareServer = cleanup.use(
  await startBenchProcess('http2', 'server', new URL('./chain/http2-server.ts', import.meta.url), []),
);

const programOf = (side: Side, path: string) => pathToFileURL(join(folders[side], path));

async function startServer(side: Side): Promise<SideContender & AsyncDisposable> {
  const program = programOf(side, 'lab/src/bench/chain/saturday-server.ts');
  const log = join(logs.path, side);
  const server = await startBenchProcess(side, 'server', program, [keys.jwks, issuer, audience], log);
  const load = await prepareStockLoad(server.port, token);
  return {
    name: side,
    work: load.run,
    processes: { server: () => processorMs(server.pid) },
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

async function startClient(side: Side): Promise<SideContender & AsyncDisposable> {
  const program = programOf(side, 'lab/src/bench/client/saturday-client.ts');
  const client = await startBenchProcess(side, 'load', program, [`127.0.0.1:${bareServer.port}`, token]);
  return {
    name: side,
    work: async (seconds) => {
      const { perSecond, count = perSecond * seconds } = await client.ask({ seconds });
      return { count, perSecond };
    },
    processes: { client: () => processorMs(client.pid) },
    [Symbol.asyncDispose]: () => client[Symbol.asyncDispose](),
  };
}

/** Lets processes of both checkouts take turns, and then new ones. */
async function compareProcesses(
  start: (side: Side) => Promise<SideContender & AsyncDisposable>,
): Promise<Change> {
  const measured: Record<Side, Turn[]> = { base: [], head: [] };
  for (let number = 0; number < starts; number++) {
    await using base = await start('base');
    await using head = await start('head');
    await warmUp([base, head]);
    const done = await alternate([base, head], { turns, seconds: 1 });
    for (const side of sides) measured[side].push(...(done.get(side) ?? []));
  }
  return changeBetween(costsUs(measured.base), costsUs(measured.head));
}

async function compareStarts(): Promise<Change> {
  await using serviceStarts = await prepareServiceStarts();
  const contenders = [];
  for (const side of sides)
    contenders.push(
      await serviceStarts.contender(side, programOf(side, 'services/inventory/src/main.ts').href),
    );
  const done = await alternate(contenders, { turns, seconds: 1 });
  const costsMs = (side: Side) => costsUs(done.get(side) ?? []).map((us) => us / 1000);
  return changeBetween(costsMs('base'), costsMs('head'));
}

function costsUs(turns: readonly Turn[]): number[] {
  return turns.map((turn) => (hasProcessorTimes ? totalUs(turn) : 1e6 / turn.perSecond));
}

const figures: Record<string, () => Promise<Change>> = {
  'a call through the chain, in the server, µs': () => compareProcesses(startServer),
  'a call of the client, in its process, µs': () => compareProcesses(startClient),
  'a start of inventory from its sources, ms': compareStarts,
};
const changes = new Map<string, Change>();
for (const [name, compare] of Object.entries(figures)) {
  process.stdout.write(`${name}:\n`);
  changes.set(name, await compare());
}
const report = regressReport(`${values.base} (${commit})`, changes);
process.stdout.write(`\n${report}`);
if (values.report) await appendFile(values.report, `## Benchmarks\n\n${report}`);
