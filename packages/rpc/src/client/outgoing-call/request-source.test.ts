import { describe, expect, test } from 'vitest';
import { Code, RpcError } from '../../errors/rpc-error.ts';
import { handlerOfEachKind } from '../../testing/calls-of-each-kind.ts';
import { recordCrashes } from '../../testing/crashes.ts';
import { EchoService } from '../../testing/gen/testing/v1/echo_service_pb.ts';
import { rejectionOf } from '../../testing/rejection-of.ts';
import { startTestServer } from '../../testing/start-test-server.ts';
import { type Client, createClient } from '../create-client.ts';
import type { CallOptions } from './call-options.ts';

type EchoClient = Client<typeof EchoService>;
type Requests = AsyncIterable<object> | Iterable<object>;

const request = { echo: { key: 'A' } };
const never = new Promise<never>(() => {});

/** A source that yields some requests, then never resolves, and records each call of its methods. */
function waitingSource(requests: number, onReturn: () => unknown = () => ({ done: true })) {
  const returned = Promise.withResolvers<void>();
  const source = {
    taken: 0,
    returns: 0,
    /** Resolves when `return` has been called. */
    returned: returned.promise,
    next: () => (source.taken++ < requests ? Promise.resolve({ done: false, value: request }) : never),
    return: () => {
      source.returns++;
      returned.resolve();
      return onReturn();
    },
    [Symbol.asyncIterator]: () => source,
  };
  return source;
}

const asRequests = (source: object) => source as Requests;

const calls = {
  importEchoes: (client: EchoClient, requests: Requests, options?: CallOptions) =>
    client.importEchoes(requests, options),
  exchangeEchoes: (client: EchoClient, requests: Requests, options?: CallOptions) =>
    Array.fromAsync(client.exchangeEchoes(requests as Iterable<object>, options)),
};

/** Answers after the first request, without waiting for the others. */
async function readOne(requests: AsyncIterable<unknown>) {
  for await (const _request of requests) break;
  return [];
}

const failsAfterOne = async (requests: AsyncIterable<unknown>) => {
  await readOne(requests);
  throw new RpcError(Code.ABORTED, 'stale');
};

describe.each(Object.entries(calls))('the source of the requests of %s', (_name, call) => {
  test('is returned once when the server answers early, and no further request is taken', async () => {
    await using server = await startTestServer(EchoService, handlerOfEachKind(readOne));
    const source = waitingSource(1);
    await call(server.client, asRequests(source));
    await source.returned;
    await call(server.client, [request]);
    expect(source).toMatchObject({ returns: 1, taken: 2 });
  });

  test('is returned once when the server fails the call', async () => {
    await using server = await startTestServer(EchoService, handlerOfEachKind(failsAfterOne));
    const source = waitingSource(1);
    const error = await rejectionOf(call(server.client, asRequests(source)));
    expect(error).toMatchObject({ code: Code.ABORTED });
    await source.returned;
    expect(source.returns).toBe(1);
  });

  test('is returned once when the call is cancelled', async () => {
    await using server = await startTestServer(
      EchoService,
      handlerOfEachKind(() => never),
    );
    const abort = new AbortController();
    const source = waitingSource(1);
    const answer = rejectionOf(call(server.client, asRequests(source), { signal: abort.signal }));
    abort.abort();
    expect(await answer).toMatchObject({ code: Code.CANCELLED });
    await source.returned;
    expect(source.returns).toBe(1);
  });

  test('is returned once when the deadline has expired', async () => {
    await using server = await startTestServer(
      EchoService,
      handlerOfEachKind(() => never),
    );
    const source = waitingSource(1);
    const error = await rejectionOf(call(server.client, asRequests(source), { deadlineMs: 50 }));
    expect(error).toMatchObject({ code: Code.DEADLINE_EXCEEDED });
    await source.returned;
    expect(source.returns).toBe(1);
  });

  test('is returned once when the call cannot be made', async () => {
    using client = createClient(EchoService, { target: '127.0.0.1:1', token: () => '' });
    const source = waitingSource(1);
    const error = await rejectionOf(call(client, asRequests(source)));
    expect(error).toMatchObject({ code: Code.UNAUTHENTICATED });
    await source.returned;
    expect(source).toMatchObject({ returns: 1, taken: 0 });
  });

  test.each([
    ['throws', () => Promise.reject(new Error('cannot be closed'))],
    [
      'throws at once',
      () => {
        throw new Error('cannot be closed');
      },
    ],
    ['never ends', () => never],
  ])('neither delays nor fails the call if its return %s', async (_case, onReturn) => {
    using crashes = recordCrashes();
    await using server = await startTestServer(EchoService, handlerOfEachKind(readOne));
    const source = waitingSource(1, onReturn);
    await call(server.client, asRequests(source));
    await source.returned;
    await call(server.client, [request]);
    expect(crashes.reasons).toEqual([]);
  });

  test('runs its finally block if it is a generator with more requests', async () => {
    await using server = await startTestServer(EchoService, handlerOfEachKind(readOne));
    const returned = Promise.withResolvers<void>();
    function* endless() {
      try {
        for (;;) yield request;
      } finally {
        returned.resolve();
      }
    }
    await call(server.client, endless());
    await returned.promise;
  });

  test('is not returned after it has ended or thrown', async () => {
    let returns = 0;
    const endingWith = (next: () => Promise<unknown>) => ({
      next,
      return: () => {
        returns++;
      },
      [Symbol.asyncIterator]() {
        return this;
      },
    });
    await using server = await startTestServer(EchoService, handlerOfEachKind(readOne));
    await call(server.client, asRequests(endingWith(async () => ({ done: true }))));
    const truncated = endingWith(() => Promise.reject(new Error('the file is truncated')));
    await expect(call(server.client, asRequests(truncated))).rejects.toThrow('the file is truncated');
    expect(returns).toBe(0);
  });

  test('that throws cancels the call on the server', async () => {
    const aborted = Promise.withResolvers<unknown>();
    await using server = await startTestServer(
      EchoService,
      handlerOfEachKind((async (_requests: unknown, { signal }: { signal: AbortSignal }) => {
        signal.addEventListener('abort', () => aborted.resolve(signal.reason));
        served.resolve();
        await never;
      }) as never),
    );
    const served = Promise.withResolvers<void>();
    const truncated = (async function* () {
      yield request;
      await served.promise;
      throw new Error('the file is truncated');
    })();
    await expect(call(server.client, truncated)).rejects.toThrow('the file is truncated');
    expect(await aborted.promise).toMatchObject({ code: Code.CANCELLED });
  });
});

test('a source is returned when the reader stops before the first read', async () => {
  using client = createClient(EchoService, { target: '127.0.0.1:1' });
  const source = waitingSource(1);
  const responses = client.exchangeEchoes(asRequests(source) as Iterable<object>);
  await responses.return();
  await source.returned;
  expect(source).toMatchObject({ returns: 1, taken: 0 });
});
