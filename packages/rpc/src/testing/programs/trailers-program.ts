/** Makes a call of each kind that succeeds, and prints the trailer `served-by` that the client received of each. */

import '../../telemetry/register.ts';
import type { CallContext } from '../../call/call-context.ts';
import { callsOfEachKind, handlerOfEachKind } from '../calls-of-each-kind.ts';
import { EchoService } from '../gen/testing/v1/echo_service_pb.ts';
import { startTestServer } from '../start-test-server.ts';

const received: unknown[] = [];
{
  await using server = await startTestServer(
    EchoService,
    handlerOfEachKind((_request: unknown, { responseTrailers }: CallContext) => {
      responseTrailers.set('served-by', 'echo');
      return [];
    }),
  );
  for (const [, call] of callsOfEachKind)
    await call(server.client, { onTrailers: (trailers) => received.push(trailers.get('served-by')[0]) });
}
process.stdout.write(JSON.stringify(received));
process.exit();
