import { expect, test, vi } from 'vitest';
import { createClient } from '../client/create-client.ts';
import { Code } from '../errors/rpc-error.ts';
import { createLogger } from '../logging/logger.ts';
import { recordCrashes } from '../testing/crashes.ts';
import { EchoService } from '../testing/gen/testing/v1/echo_service_pb.ts';
import { rejectionOf } from '../testing/rejection-of.ts';
import { startTestServer } from '../testing/start-test-server.ts';
import { serve } from './served-service.ts';
import { startServer } from './start-server.ts';

/** Long enough to fail the test if a drain waits for it. */
const patientDrain = { pauseMs: 0, timeoutMs: 60_000 };

/** A unary call that waits for its release, and a stream that never ends. */
async function startHolding() {
  const entered = Promise.withResolvers<void>();
  const released = Promise.withResolvers<void>();
  const server = await startTestServer(EchoService, {
    getEcho: async () => {
      entered.resolve();
      await released.promise;
      return { echo: { key: 'held' } };
    },
    async *watchEchoes() {
      yield { resumeToken: 'first' };
      await new Promise<never>(() => {});
    },
    async *exchangeEchoes(requests) {
      for await (const { key } of requests) yield { key };
    },
  });
  return { ...server, entered: entered.promise, release: released.resolve };
}

test('a drain ends open streams with UNAVAILABLE and does not wait for their deadline', async () => {
  await using server = await startHolding();
  const changes = server.client.watchEchoes({});
  const counts = server.client.exchangeEchoes(oneAndThenNone());
  expect((await changes.next()).value).toMatchObject({ resumeToken: 'first' });
  expect((await counts.next()).value).toMatchObject({ key: 'A' });
  const drained = server.running.drain(patientDrain);
  for (const stream of [changes, counts])
    expect(await rejectionOf(stream.next())).toMatchObject({
      code: Code.UNAVAILABLE,
      message: 'the server is shutting down',
    });
  await drained;
});

test('a drain lets a unary call in flight finish, and accepts no new connection', async () => {
  await using server = await startHolding();
  const held = server.client.getEcho({ key: 'A' }, { deadlineMs: 5000 });
  await server.entered;
  let isDrained = false;
  const drained = server.running.drain(patientDrain).then(() => {
    isDrained = true;
  });
  using unauthenticated = createClient(EchoService, { target: server.target });
  const isRejected = async () =>
    (await rejectionOf(unauthenticated.listEchoes({}))).code === Code.UNAVAILABLE;
  await vi.waitUntil(isRejected, { timeout: 15_000 });
  expect(isDrained).toBe(false);
  server.release();
  expect(await held).toMatchObject({ echo: { key: 'held' } });
  await drained;
});

test('a hanging call is cut off at the drain timeout', async () => {
  using crashes = recordCrashes();
  await using server = await startHolding();
  const held = rejectionOf(server.client.getEcho({ key: 'A' }, { deadlineMs: 5000 }));
  await server.entered;
  await server.running.drain({ pauseMs: 0, timeoutMs: 20 });
  // The code that grpc-js sends here.
  expect((await held).code).toBe(Code.CANCELLED);
  expect(crashes.reasons).toEqual([]);
});

test('calls are served during the pause before a drain', async () => {
  await using server = await startHolding();
  server.release();
  const drained = server.running.drain({ pauseMs: 200, timeoutMs: 60_000 });
  expect(await server.client.getEcho({ key: 'A' })).toMatchObject({ echo: { key: 'held' } });
  await drained;
});

test('a server can be drained twice', async () => {
  await using server = await startHolding();
  await Promise.all([server.running.drain(patientDrain), server.running.drain(patientDrain)]);
  await server.running.drain(patientDrain);
});

test('an address in use is reported in one line that names it', async () => {
  await using server = await startHolding();
  const handlers = Object.fromEntries(EchoService.methods.map(({ localName }) => [localName, () => {}]));
  await expect(
    startServer({
      address: server.target,
      services: [serve(EchoService, handlers as never)],
      chain: () => [],
      log: createLogger({ service: 'test', level: 'silent' }),
      reflection: false,
    }),
  ).rejects.toThrow(new RegExp(`^cannot listen on ${server.target}: .*EADDRINUSE.*$`));
});

async function* oneAndThenNone() {
  yield { key: 'A' };
  await new Promise<never>(() => {});
}
