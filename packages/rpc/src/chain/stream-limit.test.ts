import { expect, test, vi } from 'vitest';
import { Code } from '../errors/rpc-error.ts';
import { EchoService } from '../testing/gen/testing/v1/echo_service_pb.ts';
import { rejectionOf } from '../testing/rejection-of.ts';
import { startTestServer } from '../testing/start-test-server.ts';
import { streamLimit } from './stream-limit.ts';

/** A server with a limit of two streams. Each sends one message and then never ends, whatever its signal says. */
function startLimited() {
  return startTestServer(
    EchoService,
    {
      getEcho: async () => ({}),
      async *watchEchoes() {
        yield { resumeToken: 'first' };
        await new Promise<never>(() => {});
      },
      async *exchangeEchoes(requests) {
        for await (const { key } of requests) yield { key };
      },
    },
    { modifyChain: (chain) => [...chain, streamLimit(2)] },
  );
}

test('a stream beyond the limit is rejected, and a unary call is not', async () => {
  await using server = await startLimited();
  const first = server.client.watchEchoes({});
  const second = server.client.watchEchoes({});
  await Promise.all([first.next(), second.next()]);
  expect(await rejectionOf(server.client.exchangeEchoes([]).next())).toMatchObject({
    code: Code.RESOURCE_EXHAUSTED,
    message: 'the server has too many open streams',
  });
  await server.client.getEcho({ key: 'A' });
});

test('a stream releases its place when it ends, or is cancelled while its handler continues', async () => {
  await using server = await startLimited();
  for (let count = 0; count < 3; count++) await Array.fromAsync(server.client.exchangeEchoes([{ key: 'A' }]));
  const cancelled = [server.client.watchEchoes({}), server.client.watchEchoes({})];
  for (const stream of cancelled) await stream.next();
  for (const stream of cancelled) await stream.return?.();
  const openAnother = () => server.client.watchEchoes({}).next().catch(String);
  await vi.waitUntil(async () => typeof (await openAnother()) === 'object', { timeout: 15_000 });
});
