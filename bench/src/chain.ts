import { mkdtempDisposable } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { audience, issuer, makeSigningKeys } from '@acme/rpc/testing/signing-keys';
import { median, writeReport } from './load/figures.ts';
import { placement, startBenchProcess } from './load/pinned-process.ts';
import { prepareStockLoad } from './load/stock-load.ts';
import { loadGenerator } from './load/unary-load.ts';

/**
 * What the chain costs: one small authenticated unary method, served by each contender in turn, round after round, so
 * that a busy machine is as busy for each of them.
 */
const { values } = parseArgs({
  options: {
    /** What a contender is given in a round, and how many rounds there are. */
    seconds: { type: 'string', default: '3' },
    rounds: { type: 'string', default: '5' },
    only: { type: 'string' },
    json: { type: 'string' },
  },
});
const seconds = Number(values.seconds);

await using cleanup = new AsyncDisposableStack();
const keys = cleanup.use(await makeSigningKeys());
const folder = cleanup.use(await mkdtempDisposable(join(tmpdir(), 'bench-chain-')));
const program = (file: string) => new URL(`./chain/${file}-server.ts`, import.meta.url);
const token = await keys.sign({ exp: Math.floor(Date.now() / 1000) + 24 * 3600 });

const programs: Record<string, [program: string, ...args: string[]]> = {
  http2: ['http2'],
  grpcjs: ['grpcjs'],
  full: ['saturday', keys.jwks, issuer, audience],
  nice: ['nice'],
  nice_full: ['nice', 'full'],
  connect: ['connect'],
  nest: ['nest'],
};
const contenders = [];
for (const [name, [file, ...args]] of Object.entries(programs)) {
  if (values.only && !values.only.split(',').includes(name)) continue;
  const server = cleanup.use(
    await startBenchProcess(name, 'server', program(file), args, join(folder.path, name)),
  );
  const load = await prepareStockLoad(server.port, token);
  contenders.push({ name, load, perSecond: [] as number[] });
}
for (const { load } of contenders) await load.run(2);
for (let round = 1; round <= Number(values.rounds); round++) {
  for (const { load, perSecond } of contenders) perSecond.push(await load.run(seconds));
  const figures = contenders.map(({ name, perSecond }) => `${name} ${perSecond.at(-1)?.toFixed(0)}`);
  process.stdout.write(`round ${round}: ${figures.join('  ')} calls/s\n`);
}

const medians = Object.fromEntries(contenders.map(({ name, perSecond }) => [name, median(perSecond)]));
const over = (one: string, other: string) => (medians[one] ?? Number.NaN) / (medians[other] ?? Number.NaN);
await writeReport(
  {
    full_over_grpcjs: over('full', 'grpcjs'),
    full_over_nice: over('full', 'nice'),
    full_over_nice_full: over('full', 'nice_full'),
    full_over_connect: over('full', 'connect'),
    full_over_nest: over('full', 'nest'),
    grpcjs_over_http2: over('grpcjs', 'http2'),
    ...Object.fromEntries(Object.entries(medians).map(([name, value]) => [`${name}_per_second`, value])),
  },
  { how: `load by ${loadGenerator}, ${placement}`, jsonFile: values.json },
);
