import { expect, test } from 'vitest';
import { Code } from '../../errors/rpc-error.ts';
import { recordCrashes } from '../../testing/crashes.ts';
import { EchoService } from '../../testing/gen/testing/v1/echo_service_pb.ts';
import { startTestServer } from '../../testing/start-test-server.ts';
import { createClient } from '../create-client.ts';
import { abortableGenerator } from './abortable-generator.ts';

const never = new Promise<never>(() => {});

/** A server whose streams send nothing after their first response. */
async function startSilent() {
  const aborted = Promise.withResolvers<unknown>();
  const silent = async function* (_request: unknown, { signal }: { signal: AbortSignal }) {
    signal.addEventListener('abort', () => aborted.resolve(signal.reason));
    yield {};
    await never;
  };
  const server = await startTestServer(EchoService, { watchEchoes: silent, exchangeEchoes: silent });
  return { ...server, aborted: aborted.promise };
}

type Silent = Awaited<ReturnType<typeof startSilent>>;
const streams = [
  ['server streaming', ({ client }: Silent) => client.watchEchoes({})],
  ['bidi streaming', ({ client }: Silent) => client.exchangeEchoes([{ key: 'A' }])],
] as const;

test.each(streams)('return ends a %s call at once while a read is pending', async (_kind, open) => {
  using crashes = recordCrashes();
  await using server = await startSilent();
  const responses = open(server);
  await responses.next();
  const next = responses.next();
  expect(await responses.return()).toEqual({ done: true, value: undefined });
  expect(await next).toEqual({ done: true, value: undefined });
  expect(await server.aborted).toMatchObject({ code: Code.CANCELLED });
  expect(await responses.next()).toEqual({ done: true, value: undefined });
  expect(crashes.reasons).toEqual([]);
});

test.each(streams)(
  'the end of a block ends a %s call that it declares with await using',
  async (_kind, open) => {
    await using server = await startSilent();
    {
      await using responses = open(server);
      await responses.next();
    }
    expect(await server.aborted).toMatchObject({ code: Code.CANCELLED });
  },
);

test('return ends a call that waits for its token', async () => {
  const requested = Promise.withResolvers<void>();
  const token = () => {
    requested.resolve();
    return never;
  };
  using client = createClient(EchoService, { target: '127.0.0.1:1', token });
  const responses = client.watchEchoes({});
  const next = responses.next();
  await requested.promise;
  await responses.return();
  expect(await next).toEqual({ done: true, value: undefined });
});

test('throw ends the messages and rejects with the error', async () => {
  let isAborted = false;
  const messages = abortableGenerator(async function* (readerSignal) {
    readerSignal.addEventListener('abort', () => {
      isAborted = true;
    });
    yield 1;
  });
  await messages.next();
  await expect(messages.throw(new Error('enough'))).rejects.toThrow('enough');
  expect(isAborted).toBe(true);
  expect(await messages.next()).toEqual({ done: true, value: undefined });
});
