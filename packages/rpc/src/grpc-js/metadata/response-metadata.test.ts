import { constants } from 'node:http2';
import { Metadata, type MetadataValue } from '@grpc/grpc-js';
import { describe, expect, test } from 'vitest';
import type { CallContext } from '../../call/call-context.ts';
import { hasResponseStream } from '../../call/method-kind.ts';
import { methodPath } from '../../call/method-name.ts';
import type { CallOptions } from '../../client/outgoing-call/call-options.ts';
import { errorInfo } from '../../errors/error-details.ts';
import { Code, RpcError } from '../../errors/rpc-error.ts';
import { ErrorInfoSchema } from '../../gen/google/rpc/error_details_pb.ts';
import { callsOfEachKind, handlerOfEachKind } from '../../testing/calls-of-each-kind.ts';
import { EchoService } from '../../testing/gen/testing/v1/echo_service_pb.ts';
import { connectRaw, grpcFrame } from '../../testing/network/raw-http2.ts';
import { runNode } from '../../testing/programs/run-node.ts';
import { rejectionOf } from '../../testing/rejection-of.ts';
import { startTestServer } from '../../testing/start-test-server.ts';

const maxHeadersBytes = 7 * 1024;
const maxTrailersBytes = 4 * 1024;

type Serve = (context: CallContext) => unknown;

/** Serves all four kinds with one handler, which has no responses. */
function startServing(serve: Serve) {
  const handler = handlerOfEachKind((_request: unknown, context: CallContext) => serve(context) ?? []);
  return startTestServer(EchoService, handler);
}

/** Makes a call and returns its outcome with the headers and the trailers that arrived. */
async function received(call: (options: CallOptions) => Promise<unknown>) {
  let headers: Metadata | undefined;
  let trailers: Metadata | undefined;
  const failure = await call({
    onHeaders: (each) => {
      headers = each;
    },
    onTrailers: (each) => {
      trailers = each;
    },
  }).then(
    () => undefined,
    (error: RpcError) => error,
  );
  return { failure, headers, trailers };
}

const bytes = Buffer.from('00ff10', 'hex');

/** Sets two texts and two binary values. */
function setAll(metadata: Metadata) {
  for (const value of ['one', 'two']) metadata.add('texts', value);
  for (const value of [bytes, Buffer.alloc(0)]) metadata.add('bytes-bin', value);
}

function allOf(metadata: Metadata | undefined): Record<string, MetadataValue[]> {
  return { texts: metadata?.get('texts') ?? [], bytes: metadata?.get('bytes-bin') ?? [] };
}

// Node joins the texts of a repeated key, on the side that receives them.
const all = { texts: ['one, two'], bytes: [bytes, Buffer.alloc(0)] };

describe.each(callsOfEachKind)('%s', (_kind, call) => {
  test('headers and trailers of a call that succeeds arrive, with every value', async () => {
    await using server = await startServing(({ responseHeaders, responseTrailers }) => {
      setAll(responseHeaders);
      setAll(responseTrailers);
    });
    const { failure, headers, trailers } = await received((options) => call(server.client, options));
    expect(failure).toBe(undefined);
    expect([allOf(headers), allOf(trailers)]).toEqual([all, all]);
  });

  test('headers and trailers of a call that fails arrive, with the details and the request id', async () => {
    await using server = await startServing(({ responseHeaders, responseTrailers }) => {
      setAll(responseHeaders);
      setAll(responseTrailers);
      responseTrailers.set('x-request-id', 'own');
      throw new RpcError(Code.NOT_FOUND, 'nothing', { details: [errorInfo('test', 'NOTHING')] });
    });
    const { failure, headers, trailers } = await received((options) =>
      call(server.client, { ...options, metadata: { 'x-request-id': 'request-1' } }),
    );
    expect(failure).toMatchObject({ code: Code.NOT_FOUND, message: 'nothing' });
    expect(failure?.findDetail(ErrorInfoSchema)?.reason).toBe('NOTHING');
    expect([allOf(headers), allOf(trailers)]).toEqual([all, all]);
    expect(trailers?.get('x-request-id')).toEqual(['request-1']);
  });

  test('headers are sent at once by sendHeaders', async () => {
    const arrived = Promise.withResolvers<void>();
    await using server = await startServing(async ({ responseHeaders, sendHeaders, signal }) => {
      responseHeaders.set('early', 'yes');
      sendHeaders();
      sendHeaders();
      await Promise.race([arrived.promise, new Promise((resolve) => (signal.onabort = resolve))]);
      return [];
    });
    let early: unknown;
    await call(server.client, {
      onHeaders: (headers) => {
        early = headers.get('early');
        arrived.resolve();
      },
    });
    expect(early).toEqual(['yes']);
  });

  test('a reserved key fails the call with INTERNAL, which is logged, and the connection lives on', async () => {
    await using server = await startServing(({ responseHeaders }) => {
      responseHeaders.set('transfer-encoding', 'chunked');
    });
    expect(await rejectionOf(call(server.client))).toMatchObject({
      code: Code.INTERNAL,
      message: 'internal error',
    });
    expect(server.logLines).toContainEqual(
      expect.objectContaining({
        msg: 'internal error',
        err: expect.objectContaining({
          message: 'cannot send metadata "transfer-encoding": it belongs to the HTTP connection',
        }),
      }),
    );
  });
});

test('a handler reads every value of the caller, binary ones as bytes', async () => {
  const seen: Record<string, MetadataValue[]>[] = [];
  await using server = await startServing(({ requestMetadata }) => {
    seen.push(allOf(requestMetadata));
  });
  for (const [, call] of callsOfEachKind)
    await call(server.client, { metadata: { texts: ['one', 'two'], 'bytes-bin': [bytes, Buffer.alloc(0)] } });
  expect(seen).toEqual(callsOfEachKind.map(() => all));
});

test('the headers of a stream arrive before its first message', async () => {
  const read = Promise.withResolvers<void>();
  await using server = await startTestServer(EchoService, {
    async *watchEchoes(_request, { responseHeaders, responseTrailers }) {
      responseHeaders.set('order', 'first');
      yield {};
      await read.promise;
      responseTrailers.set('order', 'last');
      expect(() => responseHeaders.set('late', 'no')).toThrow('the metadata has been sent');
    },
  });
  const events: unknown[] = [];
  for await (const _ of server.client.watchEchoes(
    {},
    {
      onHeaders: (headers) => events.push(headers.get('order')[0]),
      onTrailers: (trailers) => events.push(trailers.get('order')[0]),
    },
  )) {
    events.push('message');
    read.resolve();
  }
  expect(events).toEqual(['first', 'message', 'last']);
});

test('a change of headers that grpc-js has sent is an error, even of headers that were never read', async () => {
  await using server = await startTestServer(EchoService, {
    async *watchEchoes(_request, { responseHeaders }) {
      yield {};
      responseHeaders.set('late', 'no');
    },
    async *exchangeEchoes(_requests, context) {
      yield {};
      context.responseHeaders.set('late', 'no');
    },
  });
  expect(await rejectionOf(Array.fromAsync(server.client.watchEchoes({})))).toMatchObject({
    code: Code.INTERNAL,
  });
  expect(await rejectionOf(Array.fromAsync(server.client.exchangeEchoes([])))).toMatchObject({
    code: Code.INTERNAL,
  });
});

test('trailers of a call that succeeds arrive under the official instrumentation', async () => {
  const { stdout } = await runNode('trailers-program.ts', { OTEL_NODE_ENABLED_INSTRUMENTATIONS: 'grpc' });
  expect(JSON.parse(stdout)).toEqual(callsOfEachKind.map(() => 'echo'));
});

/** Every header that HTTP knows by name, and some that only gRPC or nothing knows. */
const names = [
  ...Object.entries(constants).flatMap(([name, value]) =>
    name.startsWith('HTTP2_HEADER_') && typeof value === 'string' ? value : [],
  ),
  ...['grpc-status', 'grpc-message', 'grpc-encoding', 'grpc-status-details-bin', 'grpc-retry-pushback-ms'],
  ...['Connection', 'trailers', '__proto__', 'constructor', 'a b', 'é', ''],
];

test.each(['responseHeaders', 'responseTrailers'] as const)(
  'no key in %s ends the connection, with one value or with two',
  async (part) => {
    let entries: readonly [string, string[]] = ['', []];
    await using server = await startServing((context) => {
      const [key, values] = entries;
      for (const value of values) context[part].add(key, value);
    });
    await using connection = await connectRaw(server.target);
    let isOpen = true;
    void connection.closed.then(() => {
      isOpen = false;
    });
    const outcomes = new Map<string, (number | undefined)[]>();
    for (const method of [EchoService.method.getEcho, EchoService.method.watchEchoes])
      for (const name of names)
        for (const values of [['1'], ['1', '2']]) {
          entries = [name, values];
          const { code } = await connection.post(methodPath(method), grpcFrame(Buffer.from([10, 1, 65])));
          outcomes.set(name, [...(outcomes.get(name) ?? []), code]);
        }
    expect(isOpen).toBe(true);
    expect([...outcomes.values()].flat().every((code) => code === Code.OK || code === Code.INTERNAL)).toBe(
      true,
    );
    const { OK, INTERNAL } = Code;
    for (const name of [
      ':status',
      'connection',
      'te',
      'content-length',
      'grpc-status',
      'content-type',
      'Connection',
      '__proto__',
    ])
      expect(outcomes.get(name)).toEqual([INTERNAL, INTERNAL, INTERNAL, INTERNAL]);
    expect(outcomes.get('retry-after')).toEqual([OK, INTERNAL, OK, INTERNAL]);
    expect(outcomes.get('vary')).toEqual([OK, OK, OK, OK]);
    expect(outcomes.get('constructor')).toEqual([OK, OK, OK, OK]);
  },
);

describe('the size', () => {
  const large = (sizeBytes: number) => ['x', 'v'.repeat(sizeBytes - 'x'.length - 32)] as const;

  test.each([
    ['responseHeaders', maxHeadersBytes],
    ['responseTrailers', maxTrailersBytes],
  ] as const)('of %s is limited, as HTTP/2 counts it', async (part, maxBytes) => {
    let sizeBytes = maxBytes;
    await using server = await startServing((context) => {
      context[part].set('x', 'replaced');
      context[part].set(...large(sizeBytes));
    });
    await server.client.getEcho({ key: 'A' });
    sizeBytes++;
    expect(await rejectionOf(server.client.getEcho({ key: 'A' }))).toMatchObject({ code: Code.INTERNAL });
    expect(JSON.stringify(server.logLines)).toContain(
      `all entries take ${maxBytes + 1} bytes, at most ${maxBytes} are allowed`,
    );
  });

  test.each(['x', '値', '"'])(
    'of trailers with a status of %s stays within 8 KiB: details are dropped',
    async (text) => {
      await using server = await startServing(({ responseTrailers }) => {
        responseTrailers.set(...large(maxTrailersBytes));
        throw new RpcError(Code.INVALID_ARGUMENT, text.repeat(100_000), {
          details: Array.from({ length: 40 }, (_, index) =>
            errorInfo('test', `REASON_${index}${'R'.repeat(100)}`),
          ),
        });
      });
      const { failure, trailers } = await received((options) => server.client.getEcho({ key: 'A' }, options));
      expect(failure).toMatchObject({ code: Code.INVALID_ARGUMENT, message: expect.stringContaining(text) });
      expect(trailers?.get('x')).toHaveLength(1);
      const sent = Object.entries(trailers?.toHttp2Headers() ?? {});
      const sizeBytes = sent.reduce((sum, [key, value]) => sum + key.length + String(value).length + 32, 0);
      expect(sizeBytes + encodeURI(failure?.message ?? '').length + 'grpc-message'.length + 32).toBeLessThan(
        8 * 1024,
      );
    },
  );
});

test.each(['responseHeaders', 'responseTrailers'] as const)(
  '100 values in %s arrive, also with an error, and one more is rejected',
  async (part) => {
    let count = 100;
    await using server = await startServing((context) => {
      for (let index = 0; index < count; index++) context[part].add(`x${index}`, '');
      throw new RpcError(Code.NOT_FOUND, 'nothing', { details: [errorInfo('test', 'NOTHING')] });
    });
    const call = (options: CallOptions) => server.client.getEcho({ key: 'A' }, options);
    expect((await received(call)).failure).toMatchObject({ code: Code.NOT_FOUND });
    count++;
    expect((await received(call)).failure).toMatchObject({ code: Code.INTERNAL });
    expect(JSON.stringify(server.logLines)).toContain('there are 101 values, at most 100 are allowed');
  },
);

test.each([[5], [undefined], [null], [{}], [' text'], ['text '], ['a\nb'], ['é']])(
  'a value that cannot be sent is rejected with the name of its key: %j',
  async (value) => {
    await using server = await startServing(({ responseTrailers }) => {
      responseTrailers.set('key', value as string);
    });
    expect(await rejectionOf(server.client.getEcho({ key: 'A' }))).toMatchObject({ code: Code.INTERNAL });
    expect(JSON.stringify(server.logLines)).toContain('cannot send metadata \\"key\\": its value');
  },
);

test('headers that are only read are not sent before an error, so that the client can retry the call', async () => {
  const attempts: (string | undefined)[] = [];
  await using server = await startServing(({ metadata, responseHeaders }) => {
    attempts.push(metadata('grpc-previous-rpc-attempts'));
    responseHeaders.get('nothing');
    if (attempts.length === 1) throw new RpcError(Code.UNAVAILABLE, 'later');
  });
  await server.client.getEcho({ key: 'A' });
  expect(attempts).toEqual([undefined, '1']);
});

test('the lists that get and toJSON return are copies', async () => {
  await using server = await startServing(({ responseHeaders }) => {
    responseHeaders.set('key', 'value');
    responseHeaders.get('key').push('unchecked');
    responseHeaders.toJSON().key?.push('unchecked');
  });
  const { headers } = await received((options) => server.client.getEcho({ key: 'A' }, options));
  expect(headers?.get('key')).toEqual(['value']);
});

test('merged metadata is checked as well', async () => {
  const foreign = new Metadata();
  foreign.set('upgrade', 'h2c');
  await using server = await startServing(({ responseTrailers }) => responseTrailers.merge(foreign));
  expect(await rejectionOf(server.client.getEcho({ key: 'A' }))).toMatchObject({ code: Code.INTERNAL });
});

test('an interceptor can add a header to every response', async () => {
  await using server = await startTestServer(
    EchoService,
    handlerOfEachKind(() => []),
    {
      modifyChain: (chain) => [
        ...chain,
        (next) => async (call) => {
          call.responseHeaders.set('from', 'interceptor');
          await next(call);
          call.responseTrailers.set('has-response-stream', String(hasResponseStream(call.method.desc)));
        },
      ],
    },
  );
  for (const [, call] of callsOfEachKind) {
    const { headers, trailers } = await received((options) => call(server.client, options));
    expect(headers?.get('from')).toEqual(['interceptor']);
    expect(trailers?.get('has-response-stream')).toHaveLength(1);
  }
});
