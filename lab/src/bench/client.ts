import { decimal, integer, parseCommandLine, text } from '@acme/dev/cli';
import { writeReport } from './load/figures.ts';
import { placement, startBenchProcess } from './load/pinned-process.ts';
import { processorMs } from './turns/processor-time.ts';
import { cpuOver, rateOver, turnFigures } from './turns/turn-figures.ts';
import { alternate, warmUp } from './turns/turns.ts';

/** Measures the processor time of a call in each client library, each in a process, against one node:http2 server. */
const { values } = parseCommandLine({
  call: 'npm run bench -- client',
  summary:
    'Measures the processor time of a call in each client library, each in a process, against one node:http2 server.',
  options: {
    seconds: decimal('N', 'seconds of a client in a turn', { from: 0.1, fallback: 1 }),
    turns: integer('N', 'number of turns', { from: 1, fallback: 30 }),
    json: text('FILE', 'file for the result'),
  },
});
const token = 'x'.repeat(300);
const programs = { client: 'saturday', grpcjs: 'grpcjs', nice: 'nice', connect: 'connect' };
type ClientName = keyof typeof programs;

await using cleanup = new AsyncDisposableStack();
const server = cleanup.use(
  await startBenchProcess('http2', 'server', new URL('./chain/http2-server.ts', import.meta.url), []),
);
const contenders = [];
for (const [name, file] of Object.entries(programs)) {
  const program = new URL(`./client/${file}-client.ts`, import.meta.url);
  const client = cleanup.use(
    await startBenchProcess(name, 'load', program, [`127.0.0.1:${server.port}`, token]),
  );
  contenders.push({
    name: name as ClientName,
    work: (seconds: number) => client.ask({ seconds }),
    processes: { client: () => processorMs(client.pid) },
  });
}
await warmUp(contenders);
const measured = await alternate(contenders, values);

const cpu = (other: ClientName) => cpuOver(measured, 'client', other);
const rate = (other: ClientName) => rateOver(measured, 'client', other);
await writeReport(
  {
    client_cpu_over_grpcjs: cpu('grpcjs'),
    client_cpu_over_nice: cpu('nice'),
    client_cpu_over_connect: cpu('connect'),
    client_over_grpcjs: rate('grpcjs'),
    client_over_nice: rate('nice'),
    client_over_connect: rate('connect'),
    ...turnFigures(measured),
  },
  { how: `64 callers, bare node:http2 server, ${placement}`, jsonFile: values.json },
);
