import { decimal, integer, parseCommandLine, text } from '@acme/dev/cli';
import { median, writeReport } from './load/figures.ts';
import { placement, startBenchProcess } from './load/pinned-process.ts';

/** Measures the calls per second of each client library in a single process, against one node:http2 server. */
const { values } = parseCommandLine({
  call: 'npm run bench -- client',
  summary:
    'Measures the calls per second of each client library in a single process, against one node:http2 server.',
  options: {
    seconds: decimal('N', 'seconds of a client in a round', { from: 0.1, fallback: 3 }),
    rounds: integer('N', 'number of rounds', { from: 1, fallback: 5 }),
    json: text('FILE', 'file for the result'),
  },
});
const { seconds } = values;
const token = 'x'.repeat(300);

await using cleanup = new AsyncDisposableStack();
const server = cleanup.use(
  await startBenchProcess('http2', 'server', new URL('./chain/http2-server.ts', import.meta.url), []),
);
const contenders = [];
for (const name of ['saturday', 'grpcjs', 'nice', 'connect']) {
  const program = new URL(`./client/${name}-client.ts`, import.meta.url);
  const client = cleanup.use(
    await startBenchProcess(name, 'load', program, [`127.0.0.1:${server.port}`, token]),
  );
  const run = async (seconds: number): Promise<number> => (await client.ask({ seconds })).perSecond;
  contenders.push({ name, run, perSecond: [] as number[] });
}
for (const { run } of contenders) await run(2);
for (let round = 1; round <= values.rounds; round++) {
  for (const { run, perSecond } of contenders) perSecond.push(await run(seconds));
  const figures = contenders.map(({ name, perSecond }) => `${name} ${perSecond.at(-1)?.toFixed(0)}`);
  process.stdout.write(`round ${round}: ${figures.join('  ')} calls/s\n`);
}
const medians = Object.fromEntries(contenders.map(({ name, perSecond }) => [name, median(perSecond)]));
const over = (other: string) => (medians.saturday ?? Number.NaN) / (medians[other] ?? Number.NaN);
await writeReport(
  {
    client_over_grpcjs: over('grpcjs'),
    client_over_nice: over('nice'),
    client_over_connect: over('connect'),
    ...Object.fromEntries(Object.entries(medians).map(([name, value]) => [`${name}_per_second`, value])),
  },
  { how: `64 callers, bare node:http2 server, ${placement}`, jsonFile: values.json },
);
