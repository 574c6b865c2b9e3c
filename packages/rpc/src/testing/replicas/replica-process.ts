// A replica in a process of its own, which a test can stop and kill: `node replica-process.ts NAME DELAY_MS PORT`.
import { answeringAs, startReplica } from './start-replica.ts';

const [name = '', delayMs, port] = process.argv.slice(2);
const { getEcho } = answeringAs(name, Number(delayMs));
const replica = await startReplica(
  {
    getEcho: async (request, context) => {
      process.send?.({ called: true });
      return (await getEcho?.(request, context)) ?? {};
    },
  },
  { port: Number(port) },
);
process.send?.({ port: replica.port });
// The test may end without a word; what it has started must not outlive it.
process.on('disconnect', () => process.exit());
