// A replica in a process that a test can stop and kill: `node replica-process.ts NAME DELAY_MS PORT`.
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
// Ends with the test, even if that is killed.
process.on('disconnect', () => process.exit());
