import { fail, takeCommandName } from '@acme/dev/cli';

/** The benchmarks. `npm run bench -- NAME` runs NAME.ts with the remaining options; `hot` is `place --hot`. */
const benches: Record<string, string> = {
  admission: 'admission control at three times the capacity of a server',
  callers: 'the contenders of chain with 1 to 256 callers',
  chain: 'processor time of a call through the full chain, grpc-js, nice-grpc, connect-node and NestJS',
  client: 'processor time of a call in the client, and in those of grpc-js, nice-grpc and connect-node',
  cost: 'processor time, round trips, WAL and fsyncs of an order, by service',
  feed: 'delivery of 100,000 events once and in order to watchers that end and resume',
  growth: 'latency of calls with a hundred times as many orders',
  hot: 'PlaceOrder compared with pgbench, all orders for one SKU',
  idle: 'latency of PlaceOrder, GetOrder and a call through the chain at rest, and of their parts',
  import: 'rows per second, memory, and the wait of concurrent reserves',
  memory: 'memory growth of a server over a million calls',
  place: 'PlaceOrder end to end compared with pgbench, and the processor time of an order',
  regress: 'this checkout compared with another commit: which costs have changed beyond the noise',
  retention: 'removal of expired rows in batches, and PlaceOrder beside it',
  start: 'time from process start to SERVING',
  watches: 'memory of an open watch, and time until a change reaches 10,000 watches',
};

const name = takeCommandName('npm run bench --', benches);
// A regular exit stops the databases that a benchmark has started.
process.once('SIGINT', () => process.exit(130));
process.once('SIGTERM', () => process.exit(143));
const [file, ...options] = name === 'hot' ? ['place', '--hot'] : [name];
process.argv.push(...options);
await import(`./${file}.ts`).catch(fail);
