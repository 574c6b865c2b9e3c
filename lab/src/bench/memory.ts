import { integer, parseCommandLine, text } from '@acme/dev/cli';
import { audience, createSigningKeys, issuer } from '@acme/rpc/testing';
import { writeReport } from './load/figures.ts';
import { startBenchProcess } from './load/pinned-process.ts';
import { residentMb } from './load/resident-memory.ts';
import { prepareStockLoad } from './load/stock-load.ts';

/** Measures whether the memory of a server with the full chain grows with the number of calls. */
const { values } = parseCommandLine({
  call: 'npm run bench -- memory',
  summary: 'Measures whether the memory of a server with the full chain grows with the number of calls.',
  options: {
    calls: integer('N', 'number of calls', { from: 10, fallback: 1_000_000 }),
    json: text('FILE', 'file for the result'),
  },
});
const { calls } = values;

await using cleanup = new AsyncDisposableStack();
const keys = cleanup.use(await createSigningKeys());
const program = new URL('./chain/saturday-server.ts', import.meta.url);
const server = cleanup.use(await startBenchProcess('full', 'server', program, [keys.jwks, issuer, audience]));
const load = await prepareStockLoad(
  server.port,
  await keys.sign({ scope: 'inventory:read', exp: Math.floor(Date.now() / 1000) + 24 * 3600 }),
);

let served = 0;
/** Returns the RSS in MB after this many calls. */
async function rssAfter(count: number): Promise<number> {
  while (served < count) {
    served += (await load.run(2)).count;
    process.stdout.write(`${served.toFixed(0)} calls: ${(await rssMb()).toFixed(0)} MB\n`);
  }
  return rssMb();
}

const rssMb = () => residentMb(server.pid);

const early = await rssAfter(calls / 10);
const late = await rssAfter(calls);
await writeReport(
  { rss_growth: late / early, rss_mb_after_tenth: early, rss_mb_after_all: late, calls },
  { how: 'RSS of a server with the full chain', jsonFile: values.json },
);
