import { fork } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { decimal, flag, integer, parseCommandLine, text } from '@acme/dev/cli';
import { InventoryService } from '@acme/gen/inventory/v1/inventory_service_pb';
import { createClient } from '@acme/rpc/client';
import { quantile } from '../harness/quantile.ts';
import { closedLoop, type Outcome, openLoop } from './load/offered-load.ts';

/**
 * Offers a server once and three times its capacity, and measures admission control. The levels alternate, so that other
 * load affects them equally. Rounds in which other processes took much of the server's CPU do not count, nor does the
 * warm-up, in which a new server finds its limit.
 */
const { values } = parseCommandLine({
  call: 'npm run bench -- admission',
  summary: 'Offers a server once and three times its capacity, and measures admission control.',
  options: {
    cpu: decimal('MS', 'CPU time of a call', { from: 0.1, fallback: 2 }),
    wait: decimal('MS', 'waiting time of a call', { from: 0, fallback: 10 }),
    seconds: decimal('N', 'seconds of a level in a round', { from: 0.1, fallback: 2 }),
    rounds: integer('N', 'number of rounds', { from: 1, fallback: 4 }),
    off: flag('turns admission control off, for comparison'),
    json: text('FILE', 'file for the result'),
  },
});
/** Share of the server's CPU time that other processes may take in a round that counts. */
const maxDisturbance = 0.2;
const { seconds } = values;
/** Enough callers to keep one core busy while the others wait. */
const callers = Math.ceil(1.5 * (1 + values.wait / values.cpu));

const server = fork(
  new URL('./admission/admission-server.ts', import.meta.url),
  [String(values.cpu), String(values.wait), values.off ? 'off' : 'on'],
  { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] },
);
const [{ port }] = await once(server, 'message');
const client = createClient(InventoryService, { target: `127.0.0.1:${port}`, token: () => 'bench' });
const call = () => client.getStock({ sku: 'A' });

const names = ['saturated', '1x', '3x'] as const;
type Round = Record<(typeof names)[number], Outcome>;
const rounds: Round[] = [];
const roundCount = values.rounds;
// Warms up until the code is compiled and the limit has been reached once.
await closedLoop(call, callers, seconds);
await openLoop(call, 2000, 1);
for (let attempt = 0; rounds.length < roundCount && attempt < 3 * roundCount; attempt++) {
  const disturbances: number[] = [];
  const run = async (name: string, load: () => Promise<Outcome>) => {
    const before = await serverFigures();
    const outcome = await load();
    const after = await serverFigures();
    const plannedMs = after.worked.plannedMs - before.worked.plannedMs;
    const pace = plannedMs / (after.worked.byTheClockMs - before.worked.byTheClockMs);
    disturbances.push(1 - pace);
    say(lineOf(name, outcome, after.limit, pace));
    return outcome;
  };
  const saturated = await run('saturated', () => closedLoop(call, callers, seconds));
  const capacity = goodputOf([saturated]);
  const offered1x = await run('1x', () => openLoop(call, capacity, seconds));
  const offered3x = await run('3x', () => openLoop(call, 3 * capacity, seconds));
  if (Math.max(...disturbances) < maxDisturbance)
    rounds.push({ saturated, '1x': offered1x, '3x': offered3x });
  else say('          disturbed: not counted');
}
client[Symbol.dispose]();
server.disconnect();

const levels = names.map((name) => rounds.map((round) => round[name]));
const peak = Math.max(...levels.map(goodputOf));
const at3x = levels.at(-1) ?? [];
const result = {
  rounds: rounds.length,
  peak_per_second: peak,
  goodput_at_3x_of_peak: goodputOf(at3x) / peak,
  rejected_p99_ms:
    quantile(
      at3x.flatMap(({ rejectedMs }) => rejectedMs),
      0.99,
    ) ?? Number.NaN,
};
say(JSON.stringify(result, (_key, value) => (typeof value === 'number' ? Number(value.toFixed(2)) : value)));
if (values.json) await writeFile(values.json, JSON.stringify(result));

function lineOf(name: string, { seconds, okMs, rejectedMs, others }: Outcome, limit: number, pace: number) {
  const p99 = (ms: number[]) => (ms.length > 0 ? `p99 ${quantile(ms, 0.99)?.toFixed(0)} ms` : '');
  return [
    name.padEnd(10),
    `${(okMs.length / seconds).toFixed(0)} OK/s ${p99(okMs)}`.padEnd(24),
    `${(rejectedMs.length / seconds).toFixed(0)} rejected/s ${p99(rejectedMs)}`.padEnd(28),
    `limit ${limit}`.padEnd(10),
    `pace ${pace.toFixed(2)}`,
    JSON.stringify(others),
  ].join(' ');
}

interface Figures {
  readonly limit: number;
  readonly worked: { readonly plannedMs: number; readonly byTheClockMs: number };
}

async function serverFigures(): Promise<Figures> {
  server.send('figures');
  const [figures] = await once(server, 'message');
  return figures;
}

function goodputOf(outcomes: readonly Outcome[]): number {
  const sum = (of: (outcome: Outcome) => number) =>
    outcomes.reduce((total, outcome) => total + of(outcome), 0);
  return sum(({ okMs }) => okMs.length) / sum((outcome) => outcome.seconds);
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
