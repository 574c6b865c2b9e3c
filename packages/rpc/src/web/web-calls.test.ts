import { create } from '@bufbuild/protobuf';
import { Code, ConnectError, createClient } from '@connectrpc/connect';
import { describe, expect, test } from 'vitest';
import { RpcError } from '../errors/rpc-error.ts';
import { BadRequestSchema, RequestInfoSchema } from '../gen/google/rpc/error_details_pb.ts';
import { preEncoded } from '../grpc-js/messages/pre-encoded.ts';
import { handlerOfEachKind } from '../testing/calls-of-each-kind.ts';
import { EchoService, WatchEchoesResponseSchema } from '../testing/gen/testing/v1/echo_service_pb.ts';
import { startTestServer, type TestServerOptions } from '../testing/start-test-server.ts';
import { webProtocols } from '../testing/web/web-clients.ts';

type Implementation = Parameters<typeof startTestServer<typeof EchoService>>[1];

const startWeb = (implementation: Implementation, options: TestServerOptions = {}) =>
  startTestServer(EchoService, implementation, { ...options, web: {} });

async function connectErrorOf(call: Promise<unknown>): Promise<ConnectError> {
  const answer = await call.catch((error: unknown) => error);
  if (answer instanceof ConnectError) return answer;
  throw new Error('the call did not fail with a ConnectError', { cause: answer });
}

async function* each<Item>(...items: Item[]): AsyncGenerator<Item> {
  yield* items;
}

describe.each(webProtocols)('$name', ({ protocol, httpVersion, transport }) => {
  test('the four kinds of call reach the handlers of the gRPC port', async () => {
    await using server = await startWeb({
      getEcho: async ({ key }) => ({ echo: { key } }),
      async *watchEchoes({ keys }) {
        for (const key of keys) yield { resumeToken: key };
        yield preEncoded(
          WatchEchoesResponseSchema,
          create(WatchEchoesResponseSchema, { resumeToken: 'encoded' }),
        );
      },
      importEchoes: async (requests) => ({ received: BigInt((await Array.fromAsync(requests)).length) }),
      async *exchangeEchoes(requests) {
        for await (const { key } of requests) yield { key };
      },
    });
    const client = createClient(EchoService, transport(server.webUrl));
    expect(await client.getEcho({ key: 'A' })).toMatchObject({ echo: { key: 'A' } });
    const watched = await Array.fromAsync(client.watchEchoes({ keys: ['A', 'B'] }));
    expect(watched.map(({ resumeToken }) => resumeToken)).toEqual(['A', 'B', 'encoded']);
    const imported = { echo: { key: 'A' } };
    expect(await client.importEchoes(each(imported, imported))).toMatchObject({ received: 2n });
    if (httpVersion === '2')
      expect(await Array.fromAsync(client.exchangeEchoes(each({ key: 'A' }, { key: 'B' })))).toMatchObject([
        { key: 'A' },
        { key: 'B' },
      ]);
    const lines = server.logLines.filter(({ msg }) => msg === 'call');
    expect(lines.every((line) => line.protocol === protocol && line.code === 'OK')).toBe(true);
  });

  test('an invalid request is rejected with the violations of its fields', async () => {
    await using server = await startWeb({ getEcho: async () => ({}) });
    const error = await connectErrorOf(
      createClient(EchoService, transport(server.webUrl)).getEcho({ key: '' }),
    );
    expect(error).toMatchObject({
      code: Code.InvalidArgument,
      rawMessage: 'key: must be at least 1 characters',
    });
    expect(error.findDetails(BadRequestSchema)).toMatchObject([{ fieldViolations: [{ field: 'key' }] }]);
    expect(server.logLines.at(-1)).toMatchObject({ code: 'INVALID_ARGUMENT', protocol });
  });

  test('a thrown error ends each kind of call with INTERNAL, and reveals only the request id', async () => {
    await using server = await startWeb(
      handlerOfEachKind(() => {
        throw new Error('canary');
      }),
    );
    const client = createClient(EchoService, transport(server.webUrl));
    const calls = [
      () => client.getEcho({ key: 'A' }),
      () => Array.fromAsync(client.watchEchoes({})),
      () => client.importEchoes(each({ echo: { key: 'A' } })),
      ...(httpVersion === '2' ? [() => Array.fromAsync(client.exchangeEchoes(each({ key: 'A' })))] : []),
    ];
    for (const call of calls) {
      const error = await connectErrorOf(call());
      expect(error).toMatchObject({ code: Code.Internal, rawMessage: 'internal error' });
      expect(error.findDetails(RequestInfoSchema)).toHaveLength(1);
    }
  });

  test('the deadline of the caller ends the call, and reaches the handler', async () => {
    const reasons: unknown[] = [];
    await using server = await startWeb({
      getEcho: (_request, { signal }) =>
        new Promise(() => {
          signal.addEventListener('abort', () => reasons.push(signal.reason));
        }),
    });
    const client = createClient(EchoService, transport(server.webUrl));
    const error = await connectErrorOf(client.getEcho({ key: 'A' }, { timeoutMs: 300 }));
    expect(error.code).toBe(Code.DeadlineExceeded);
    await expect.poll(() => reasons).toHaveLength(1);
  });

  test('headers and trailers reach the caller, binary ones and those of a failed call too', async () => {
    await using server = await startWeb({
      getEcho: async ({ key }, { responseHeaders, responseTrailers }) => {
        responseHeaders.set('x-header', key);
        responseTrailers.set('x-trailer-bin', Buffer.from([1, 2]));
        if (key === 'fail') throw new RpcError(Code.NotFound as number, 'none');
        return { echo: { key } };
      },
    });
    const client = createClient(EchoService, transport(server.webUrl));
    let headers = new Headers();
    let trailers = new Headers();
    await client.getEcho(
      { key: 'A' },
      { onHeader: (received) => (headers = received), onTrailer: (received) => (trailers = received) },
    );
    expect(headers.get('x-header')).toBe('A');
    expect(trailers.get('x-trailer-bin')).toBe('AQI');
    const { metadata } = await connectErrorOf(client.getEcho({ key: 'fail' }));
    expect(metadata.get('x-header')).toBe('fail');
    expect(metadata.get('x-trailer-bin') ?? metadata.get('trailer-x-trailer-bin')).toBe('AQI');
  });

  test('a caller that leaves ends the call of its handler', async () => {
    const [watching, left] = [Promise.withResolvers<void>(), Promise.withResolvers<unknown>()];
    await using server = await startWeb({
      async *watchEchoes(_request, { signal }) {
        signal.addEventListener('abort', () => left.resolve(signal.reason));
        yield { resumeToken: 'first' };
        watching.resolve();
        await new Promise(() => {});
      },
    });
    const leaving = new AbortController();
    const responses = createClient(EchoService, transport(server.webUrl)).watchEchoes(
      {},
      { signal: leaving.signal },
    );
    const read = connectErrorOf(Array.fromAsync(responses));
    await watching.promise;
    leaving.abort();
    expect(await left.promise).toMatchObject({ message: 'cancelled by the caller' });
    expect(await read).toMatchObject({ code: Code.Canceled });
    await expect.poll(() => server.logLines.at(-1)).toMatchObject({ msg: 'call', code: 'CANCELLED' });
  });

  test('early headers of a stream arrive before its first message', async () => {
    const arrived = Promise.withResolvers<string | null>();
    await using server = await startWeb({
      async *watchEchoes(_request, { responseHeaders, sendHeaders }) {
        responseHeaders.set('x-header', 'early');
        sendHeaders();
        await arrived.promise;
        yield { resumeToken: 'first' };
      },
    });
    const client = createClient(EchoService, transport(server.webUrl));
    const responses = client.watchEchoes(
      {},
      { onHeader: (headers) => arrived.resolve(headers.get('x-header')) },
    );
    expect(await Array.fromAsync(responses)).toMatchObject([{ resumeToken: 'first' }]);
    expect(await arrived.promise).toBe('early');
  });
});

test('the drain ends the streams of the web port with UNAVAILABLE', async () => {
  await using server = await startWeb({
    async *watchEchoes() {
      yield { resumeToken: 'first' };
      await new Promise(() => {});
    },
  });
  const errors: Code[] = [];
  for (const { transport } of webProtocols) {
    const responses = createClient(EchoService, transport(server.webUrl))
      .watchEchoes({})
      [Symbol.asyncIterator]();
    await responses.next();
    void connectErrorOf(responses.next()).then((error) => errors.push(error.code));
  }
  await server.running.drain({ pauseMs: 0, timeoutMs: 60_000 });
  await expect.poll(() => errors).toEqual(webProtocols.map(() => Code.Unavailable));
});
