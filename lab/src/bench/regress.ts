import { appendFile, mkdtempDisposable } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { flag, parseCommandLine, requiredText, runCommand, text } from '@acme/dev/cli';
import { root } from '@acme/dev/repository';
import { audience, createSigningKeys, issuer } from '@acme/rpc/testing';
import { openReleasedCode } from '../rolling/released-code.ts';
import { type BenchProcess, startBenchProcess } from './load/pinned-process.ts';
import { prepareStockLoad } from './load/stock-load.ts';
import { type Change, changeBetween } from './regress/change.ts';
import { regressReport } from './regress/regress-report.ts';
import { hasProcessorTimes, processorMs } from './turns/processor-time.ts';
import { alternate, type Contender, type Turn, totalUs, type Work, warmUp } from './turns/turns.ts';

/** Compares this checkout with another commit: the full chain and the client of both, in alternating turns. */
const { values } = parseCommandLine({
  call: 'npm run bench -- regress --base REF',
  summary:
    'Compares this checkout with another commit: the full chain and the client of both, in alternating turns.',
  options: {
    base: requiredText('REF', 'commit to compare with'),
    short: flag('measures 20 turns of a second instead of 60'),
    report: text('FILE', 'file to which the report is appended, as Markdown'),
  },
});
/** Processes of the same code differ, so each checkout is started several times. */
const { starts, turns } = values.short ? { starts: 2, turns: 10 } : { starts: 4, turns: 15 };

type Side = 'base' | 'head';
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

const programOf = (side: Side, path: string) => pathToFileURL(join(folders[side], 'lab/src/bench', path));

async function startServer(side: Side): Promise<[BenchProcess, SideContender]> {
  const program = programOf(side, 'chain/saturday-server.ts');
  const server = await startBenchProcess(
    side,
    'server',
    program,
    [keys.jwks, issuer, audience],
    join(logs.path, side),
  );
  const load = await prepareStockLoad(server.port, token);
  return [server, { name: side, work: load.run, processes: { server: () => processorMs(server.pid) } }];
}

async function startClient(side: Side): Promise<[BenchProcess, SideContender]> {
  const program = programOf(side, 'client/saturday-client.ts');
  const client = await startBenchProcess(side, 'load', program, [`127.0.0.1:${bareServer.port}`, token]);
  const work = async (seconds: number) => {
    const { perSecond, count = perSecond * seconds } = await client.ask({ seconds });
    return { count, perSecond };
  };
  return [client, { name: side, work, processes: { client: () => processorMs(client.pid) } }];
}

async function compare(start: (side: Side) => Promise<[BenchProcess, SideContender]>): Promise<Change> {
  const measured: Record<Side, Turn[]> = { base: [], head: [] };
  for (let number = 0; number < starts; number++) {
    await using running = new AsyncDisposableStack();
    const contenders: SideContender[] = [];
    for (const side of ['base', 'head'] as const) {
      const [process, contender] = await start(side);
      running.use(process);
      contenders.push(contender);
    }
    await warmUp(contenders);
    for (const [side, done] of await alternate(contenders, { turns, seconds: 1 }))
      measured[side].push(...done);
  }
  const costs = (side: Side) =>
    measured[side].map((turn) => (hasProcessorTimes ? totalUs(turn) : 1e6 / turn.perSecond));
  return changeBetween(costs('base'), costs('head'));
}

const changes = new Map<string, Change>();
process.stdout.write('a call in the server:\n');
changes.set('a call through the chain, in the server', await compare(startServer));
process.stdout.write('a call in the client:\n');
changes.set('a call of the client, in its process', await compare(startClient));
const report = regressReport(`${values.base} (${commit})`, changes);
process.stdout.write(`\n${report}`);
if (values.report) await appendFile(values.report, `## Benchmarks\n\n${report}`);
