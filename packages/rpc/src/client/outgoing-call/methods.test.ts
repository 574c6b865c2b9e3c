import { describe, expect, test } from 'vitest';
import type { CallContext } from '../../call/call-context.ts';
import { Code, RpcError } from '../../errors/rpc-error.ts';
import { callsOfEachKind, handlerOfEachKind } from '../../testing/calls-of-each-kind.ts';
import { recordCrashes } from '../../testing/crashes.ts';
import { EchoService } from '../../testing/gen/testing/v1/echo_service_pb.ts';
import { grpcFrame } from '../../testing/network/raw-http2.ts';
import { rejectionOf } from '../../testing/rejection-of.ts';
import { startRawServer } from '../../testing/replicas/start-raw-server.ts';
import { startTestServer } from '../../testing/start-test-server.ts';
import { createClient } from '../create-client.ts';

/** A server whose streams never end, and the context of its first call. */
async function startEndless() {
  const context = Promise.withResolvers<CallContext>();
  const server = await startTestServer(EchoService, {
    async *watchEchoes(_request, served) {
      context.resolve(served);
      for (;;) yield {};
    },
    async *exchangeEchoes(_requests, served) {
      context.resolve(served);
      for (;;) yield {};
    },
  });
  return { ...server, context: context.promise };
}

const endlessCalls = {
  watchEchoes: (server: Awaited<ReturnType<typeof startEndless>>) => server.client.watchEchoes({}),
  exchangeEchoes: (server: Awaited<ReturnType<typeof startEndless>>) =>
    server.client.exchangeEchoes([{ key: 'A' }]),
};

async function untilAborted(signal: AbortSignal): Promise<void> {
  if (!signal.aborted) await new Promise((resolve) => signal.addEventListener('abort', resolve));
}

describe.each(Object.entries(endlessCalls))('a loop over %s', (_name, open) => {
  test('that is left by break cancels the call on the server, and nothing crashes', async () => {
    using crashes = recordCrashes();
    await using server = await startEndless();
    for await (const _answer of open(server)) break;
    const { signal } = await server.context;
    await untilAborted(signal);
    expect(signal.reason).toMatchObject({ code: Code.CANCELLED });
    await rejectionOf(server.client.listEchoes({}));
    expect(crashes.reasons).toEqual([]);
  });

  test('that throws cancels the call on the server', async () => {
    await using server = await startEndless();
    const loop = async () => {
      for await (const _answer of open(server)) throw new Error('enough');
    };
    await expect(loop()).rejects.toThrow('enough');
    await untilAborted((await server.context).signal);
  });

  test('that ends before the first response opens no call, and nothing crashes', async () => {
    using crashes = recordCrashes();
    await using server = await startEndless();
    await open(server).return();
    await rejectionOf(server.client.listEchoes({}));
    expect(server.logLines).toHaveLength(1);
    expect(crashes.reasons).toEqual([]);
  });
});

describe.each(callsOfEachKind)('a %s call', (_kind, call) => {
  test('that is cancelled without a listener does not end the process', async () => {
    using crashes = recordCrashes();
    await using server = await startTestServer(
      EchoService,
      handlerOfEachKind(() => new Promise(() => {})),
    );
    const abort = new AbortController();
    const answer = rejectionOf(call(server.client, { signal: abort.signal }));
    abort.abort();
    expect(await answer).toMatchObject({ code: Code.CANCELLED });
    await rejectionOf(server.client.listEchoes({}));
    expect(crashes.reasons).toEqual([]);
  });

  test('whose signal is already aborted is CANCELLED and never served', async () => {
    let served = false;
    await using server = await startTestServer(
      EchoService,
      handlerOfEachKind(() => {
        served = true;
        return [];
      }),
    );
    const signal = AbortSignal.abort();
    expect(await rejectionOf(call(server.client, { signal }))).toMatchObject({ code: Code.CANCELLED });
    await rejectionOf(server.client.listEchoes({}));
    expect(served).toBe(false);
  });

  test('leaves no listener on a signal that outlives it', async () => {
    await using server = await startTestServer(
      EchoService,
      handlerOfEachKind(() => []),
    );
    const { signal } = new AbortController();
    let listeners = 0;
    const { addEventListener, removeEventListener } = signal;
    signal.addEventListener = (...parameters: Parameters<typeof addEventListener>) => {
      listeners++;
      addEventListener.apply(signal, parameters);
    };
    signal.removeEventListener = (...parameters: Parameters<typeof removeEventListener>) => {
      listeners--;
      removeEventListener.apply(signal, parameters);
    };
    await call(server.client, { signal });
    expect(listeners).toBe(0);
  });

  test('fails with an error that names the method', async () => {
    await using server = await startTestServer(
      EchoService,
      handlerOfEachKind(() => {
        throw new RpcError(Code.ABORTED, 'stale');
      }),
    );
    const error = await rejectionOf(call(server.client));
    expect(error).toMatchObject({ code: Code.ABORTED, message: 'stale' });
    expect(error.calledMethod).toMatch(/^testing\.v1\.EchoService\/\w+Echo(es)?$/);
  });
});

describe.each(callsOfEachKind)('a %s call of a client', (_kind, call) => {
  test('that has been disposed fails as FAILED_PRECONDITION', async () => {
    await using server = await startTestServer(EchoService, {});
    const client = createClient(EchoService, { target: server.target });
    client[Symbol.dispose]();
    const error = await rejectionOf(call(client));
    expect(error.code).toBe(Code.FAILED_PRECONDITION);
    expect(error.message).toMatch(
      /^cannot call testing\.v1\.EchoService\/\w+: the client has been disposed$/,
    );
  });
});

test.each(['listEchoes', 'watchEchoes'] as const)(
  'a request of %s that cannot be encoded is INVALID_ARGUMENT, and nothing is sent',
  async (method) => {
    await using server = await startRawServer(() => ({ 'grpc-status': Code.UNIMPLEMENTED }));
    using client = createClient(EchoService, { target: server.target });
    const bad = { pageSize: 1.5, resumeToken: Object.create(null) } as never;
    const error = await rejectionOf(
      method === 'listEchoes' ? client.listEchoes(bad) : Array.fromAsync(client.watchEchoes(bad)),
    );
    expect(error.code).toBe(Code.INVALID_ARGUMENT);
    expect(error.message).toMatch(/^cannot encode the testing\.v1\.\w+ of testing\.v1\.EchoService\/\w+: /);
    expect(server.sessions).toHaveLength(0);
  },
);

test('a service whose request cannot be encoded fails with INTERNAL, without blaming its caller', async () => {
  await using bottom = await startTestServer(EchoService, {});
  await using top = await startTestServer(EchoService, {
    getEcho: async () => {
      await bottom.client.listEchoes({ pageSize: 1.5 });
      return {};
    },
  });
  expect((await rejectionOf(top.client.getEcho({ key: 'A' }))).code).toBe(Code.INTERNAL);
});

test.each(callsOfEachKind.filter(([kind]) => kind === 'unary' || kind === 'client streaming'))(
  'a second response to a %s call fails it at once',
  async (_kind, call) => {
    await using server = await startRawServer((_headers, stream) => {
      const message = grpcFrame(Buffer.of());
      stream.respond({ ':status': 200, 'content-type': 'application/grpc' });
      stream.write(message);
      setImmediate(() => stream.write(message));
      return undefined;
    });
    using client = createClient(EchoService, { target: server.target });
    const error = await rejectionOf(call(client, { deadlineMs: 60_000 }));
    expect(error.code).toBe(Code.UNIMPLEMENTED);
  },
);

describe.each(['importEchoes', 'exchangeEchoes'] as const)('the requests of %s', (method) => {
  const callWith = (
    client: Awaited<ReturnType<typeof startEndless>>['client'],
    requests: AsyncIterable<object>,
  ) =>
    method === 'importEchoes'
      ? client.importEchoes(requests)
      : Array.fromAsync(client.exchangeEchoes(requests as AsyncIterable<object>));

  test('fail the call with the error that their source throws', async () => {
    await using server = await startTestServer(EchoService, handlerOfEachKind(readAll));
    const failing = (async function* () {
      yield { echo: { key: 'A' } };
      throw new Error('the file cannot be read');
    })();
    await expect(callWith(server.client, failing)).rejects.toThrow('the file cannot be read');
  });

  test('fail the call as INVALID_ARGUMENT if one cannot be encoded, and their source is closed', async () => {
    const served = Promise.withResolvers<void>();
    const cancelled = Promise.withResolvers<unknown>();
    await using server = await startTestServer(
      EchoService,
      handlerOfEachKind(async (_requests: unknown, { signal }: CallContext) => {
        served.resolve();
        await untilAborted(signal);
        cancelled.resolve(signal.reason);
        return [];
      }),
    );
    const returned = Promise.withResolvers<string>();
    const bad = (async function* () {
      try {
        yield { echo: { key: 'A' } };
        await served.promise;
        yield { echo: { key: 'A', number: 'many' }, number: 'many' };
      } finally {
        returned.resolve('returned');
      }
    })();
    const error = await rejectionOf(callWith(server.client, bad));
    expect(error.code).toBe(Code.INVALID_ARGUMENT);
    expect(error.message).toMatch(
      /^cannot encode the testing\.v1\.\w+Request of testing\.v1\.EchoService\/\w+: .*number/,
    );
    expect(await returned.promise).toBe('returned');
    expect(await cancelled.promise).toMatchObject({ code: Code.CANCELLED });
  });

  test('stop being read from an endless source when the call is answered', async () => {
    await using server = await startTestServer(
      EchoService,
      handlerOfEachKind(() => []),
    );
    const returned = Promise.withResolvers<string>();
    const endless = (async function* () {
      try {
        for (;;) {
          yield { echo: { key: 'A' } };
          await new Promise((resolve) => setImmediate(resolve));
        }
      } finally {
        returned.resolve('returned');
      }
    })();
    await callWith(server.client, endless);
    expect(await returned.promise).toBe('returned');
  });
});

async function readAll(requests: AsyncIterable<unknown>) {
  await Array.fromAsync(requests);
  return [];
}
