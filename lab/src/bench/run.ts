import { fail } from '@acme/dev/cli/fail';

/** `npm run bench -- NAME` runs NAME.ts, with the options that come after. */
const benches: Record<string, string> = {
  admission: 'what a server does with three times the calls that it can serve',
  callers: 'the contenders of chain, from one caller to 256',
  chain: 'the full chain beside bare grpc-js, nice-grpc, connect-node and NestJS',
  client: 'the client beside those of grpc-js, nice-grpc and connect-node',
  feed: 'whether watchers that come and go see 100,000 events each once and in order',
  growth: 'whether calls take longer when there are a hundred times as many orders',
  hot: 'PlaceOrder beside pgbench, every order of one article',
  import: 'rows a second, memory, and how long orders wait',
  memory: 'whether a server grows with the calls that it has served',
  place: 'PlaceOrder end to end beside pgbench doing one transaction an order',
  start: 'process start to SERVING',
  watches: 'what an open watch costs, and how long one change takes to reach 10,000',
};

const [name = ''] = process.argv.splice(2, 1);
if (!Object.hasOwn(benches, name)) {
  const list = Object.entries(benches).map(([each, what]) => `  ${each.padEnd(10)} ${what}`);
  fail(
    `usage: npm run bench -- NAME [--json FILE], with --svg FILE too for callers, place and hot; where NAME is\n${list.join('\n')}`,
  );
}
// With an exit of its own, a database that a measurement has started is stopped.
process.once('SIGINT', () => process.exit(130));
process.once('SIGTERM', () => process.exit(143));
await import(`./${name}.ts`);
