import type { Metadata } from '@grpc/grpc-js';
import { describe, expect, test } from 'vitest';
import { currentCall } from '../../call/call-context.ts';
import { Code } from '../../errors/rpc-error.ts';
import { callsOfEachKind } from '../../testing/calls-of-each-kind.ts';
import { recordCrashes } from '../../testing/crashes.ts';
import { EchoService } from '../../testing/gen/testing/v1/echo_service_pb.ts';
import { grpcFrame } from '../../testing/network/raw-http2.ts';
import { rejectionOf } from '../../testing/rejection-of.ts';
import { respondRaw, startRawServer } from '../../testing/replicas/start-raw-server.ts';
import { startTestServer } from '../../testing/start-test-server.ts';
import { createClient } from '../create-client.ts';

const emptyMessage = grpcFrame(Buffer.of());
const headers = { 'x-text': 'a', 'x-trace-bin': ['AAE=', 'Ag=='] };
const trailers = { 'x-sum': '7', 'x-sum-bin': '/w==' };

/** A server that answers each call with one empty message, headers and trailers. */
async function startAnswering(status = '0') {
  const server = await startRawServer((_headers, stream) =>
    respondRaw(stream, { headers, body: emptyMessage, trailers: { 'grpc-status': status, ...trailers } }),
  );
  const client = createClient(EchoService, { target: server.target });
  return {
    client,
    [Symbol.asyncDispose]: async () => {
      client[Symbol.dispose]();
      await server[Symbol.asyncDispose]();
    },
  };
}

/** Callbacks that record what they are called with, in order. */
function record() {
  const seen: (readonly [string, Metadata])[] = [];
  return {
    seen,
    onHeaders: (metadata: Metadata) => void seen.push(['headers', metadata]),
    onTrailers: (metadata: Metadata) => void seen.push(['trailers', metadata]),
  };
}

/** The cause of a rejected call that is not an RpcError. */
const failed = new Error('the callback failed');
const fail = () => {
  throw failed;
};

describe.each(callsOfEachKind)('a %s call', (_kind, call) => {
  test('passes the headers and the trailers to its callbacks, once each', async () => {
    await using server = await startAnswering();
    const { seen, ...callbacks } = record();
    await call(server.client, callbacks);
    expect(seen.map(([name]) => name)).toEqual(['headers', 'trailers']);
    const [[, received], [, ended]] = seen as [[string, Metadata], [string, Metadata]];
    expect(received.get('x-text')).toEqual(['a']);
    expect(received.get('x-trace-bin')).toEqual([Buffer.of(0, 1), Buffer.of(2)]);
    expect(ended.get('x-sum')).toEqual(['7']);
    expect(ended.get('x-sum-bin')).toEqual([Buffer.of(255)]);
  });

  test('that fails passes on its trailers, and rejects with its own error', async () => {
    await using server = await startAnswering(String(Code.ABORTED));
    const { seen, ...callbacks } = record();
    expect((await rejectionOf(call(server.client, callbacks))).code).toBe(Code.ABORTED);
    expect(seen.map(([name, metadata]) => [name, metadata.get('x-sum')])).toEqual([
      ['headers', []],
      ['trailers', ['7']],
    ]);
  });

  test('that is answered by trailers only has no headers', async () => {
    await using server = await startRawServer(() => ({ 'grpc-status': Code.NOT_FOUND, ...trailers }));
    using client = createClient(EchoService, { target: server.target });
    const { seen, ...callbacks } = record();
    expect((await rejectionOf(call(client, callbacks))).code).toBe(Code.NOT_FOUND);
    expect(seen.map(([name, metadata]) => [name, metadata.get('x-sum')])).toEqual([['trailers', ['7']]]);
  });

  test.each(['onHeaders', 'onTrailers'] as const)(
    'rejects with the error of %s, and nothing crashes',
    async (name) => {
      using crashes = recordCrashes();
      await using server = await startAnswering();
      await expect(call(server.client, { [name]: fail })).rejects.toBe(failed);
      await expect(call(server.client, { [name]: async () => fail() })).rejects.toBe(failed);
      await call(server.client);
      expect(crashes.reasons).toEqual([]);
    },
  );

  test.each(['onHeaders', 'onTrailers'])(
    'waits for an %s that never settles until its deadline',
    async (name) => {
      await using server = await startAnswering();
      const never = () => new Promise<void>(() => {});
      const error = await rejectionOf(call(server.client, { deadlineMs: 300, [name]: never }));
      expect(error).toMatchObject({
        code: Code.DEADLINE_EXCEEDED,
        message: `the call ended before ${name} had settled`,
      });
    },
  );

  test('waits for callbacks that are asynchronous, and rejects with their errors', async () => {
    await using server = await startAnswering();
    for (const name of ['onHeaders', 'onTrailers']) {
      let hasSettled = false;
      const settle = async () => {
        await new Promise(setImmediate);
        hasSettled = true;
      };
      await call(server.client, { [name]: settle });
      expect(hasSettled).toBe(true);
      await expect(call(server.client, { [name]: async () => fail() })).rejects.toBe(failed);
    }
  });

  test('has its callbacks run in the call that is being served', async () => {
    await using server = await startAnswering();
    const requestIds: (string | undefined)[] = [];
    const note = () => void requestIds.push(currentCall()?.requestId);
    await using top = await startTestServer(EchoService, {
      getEcho: async () => {
        await call(server.client, { onHeaders: note, onTrailers: note, deadlineMs: 60_000 });
        return {};
      },
    });
    await top.client.getEcho({ key: 'A' }, { metadata: { 'x-request-id': 'order-17' } });
    expect(requestIds).toEqual(['order-17', 'order-17']);
  });
});

test('headers are passed on before the first message, and trailers after the last', async () => {
  await using server = await startRawServer((_headers, stream) => {
    stream.respond({ ':status': 200, 'content-type': 'application/grpc', ...headers });
    return undefined;
  });
  using client = createClient(EchoService, { target: server.target });
  const arrived = Promise.withResolvers<Metadata>();
  await using responses = client.watchEchoes({}, { onHeaders: arrived.resolve });
  responses.next().catch(() => {});
  expect((await arrived.promise).get('x-text')).toEqual(['a']);
});

test('a reader that stops early gets no trailers', async () => {
  await using server = await startAnswering();
  const { seen, ...callbacks } = record();
  for await (const _response of server.client.watchEchoes({}, callbacks)) break;
  await server.client.getEcho({ key: 'A' });
  expect(seen.map(([name]) => name)).toEqual(['headers']);
});

test('a call that is never started calls no callback', async () => {
  using client = createClient(EchoService, { target: '127.0.0.1:1' });
  const { seen, ...callbacks } = record();
  await rejectionOf(client.getEcho({ key: 'A' }, { ...callbacks, metadata: { te: 'gzip' } }));
  expect(seen).toEqual([]);
});
