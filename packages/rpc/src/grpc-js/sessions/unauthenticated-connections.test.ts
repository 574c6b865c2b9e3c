import { once } from 'node:events';
import { connect } from 'node:http2';
import { expect, test } from 'vitest';
import { methodPath } from '../../call/method-name.ts';
import { createClient } from '../../client/create-client.ts';
import { Health } from '../../gen/grpc/health/v1/health_pb.ts';
import { EchoService } from '../../testing/gen/testing/v1/echo_service_pb.ts';
import { startTestServer } from '../../testing/start-test-server.ts';

/** Maximum number of streams of a connection. */
const streamsEach = 1000;

/** Opens a connection with the maximum number of health watches, which need no token. */
async function flood(target: string) {
  const session = connect(`http://${target}`);
  session.on('error', () => {});
  await once(session, 'remoteSettings');
  for (let count = 0; count < streamsEach; count++)
    session
      .request({
        ':method': 'POST',
        ':path': methodPath(Health.method.watch),
        'content-type': 'application/grpc',
        te: 'trailers',
        'x-filling': 'x'.repeat(1024),
      })
      .on('error', () => {});
  return session;
}

test('unauthenticated connections are closed when they hold too much together, authenticated ones are not', async () => {
  await using server = await startTestServer(EchoService, { getEcho: async () => ({}) });
  await server.client.getEcho({ key: 'A' });
  const floods = [await flood(server.target)];
  const closed = Promise.race(floods.map((session) => once(session, 'close')));
  floods.push(await flood(server.target));
  await Promise.race([closed, ...floods.map((session) => once(session, 'close'))]);
  await server.client.getEcho({ key: 'A' });
  using fresh = createClient(EchoService, { target: server.target, token: () => 'test-token' });
  await fresh.getEcho({ key: 'A' });
  expect(floods.filter(({ closed: isClosed }) => !isClosed)).toHaveLength(1);
  for (const session of floods) session.destroy();
});
