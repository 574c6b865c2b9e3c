import { constants, type ServerHttp2Stream } from 'node:http2';
import { credentials, Client as GrpcClient, type ServiceError } from '@grpc/grpc-js';
import { expect, test } from 'vitest';
import { Code } from '../../errors/rpc-error.ts';
import { EchoService } from '../../testing/gen/testing/v1/echo_service_pb.ts';
import { rejectionOf } from '../../testing/rejection-of.ts';
import { startRawServer } from '../../testing/replicas/start-raw-server.ts';
import { startReplica } from '../../testing/replicas/start-replica.ts';
import { createClient } from '../create-client.ts';
import { resumingWatch } from '../resuming-watch.ts';

/** Ways in which a call ends without a status. */
const ends: readonly (readonly [string, (stream: ServerHttp2Stream) => unknown])[] = [
  [
    'a connection that ends with error code 2',
    ({ session }) => session?.goaway(constants.NGHTTP2_INTERNAL_ERROR),
  ],
  ['a stream that is reset with code 2', (stream) => stream.close(constants.NGHTTP2_INTERNAL_ERROR)],
  ['a stream that is reset with code 0', (stream) => stream.close(constants.NGHTTP2_NO_ERROR)],
];

/** A server that ends the first calls this way, and answers the others with UNIMPLEMENTED. */
async function startEnding(end: (stream: ServerHttp2Stream) => unknown, calls = 1) {
  let ended = 0;
  return startRawServer((_headers, stream) => {
    if (ended++ >= calls) return { 'grpc-status': Code.UNIMPLEMENTED };
    end(stream);
    return undefined;
  });
}

test.each(ends)('a call on %s is retried if its method is safe to repeat', async (_name, end) => {
  await using server = await startEnding(end);
  using client = createClient(EchoService, { target: server.target });
  const error = await rejectionOf(client.getEcho({ key: 'A' }, { deadlineMs: 5000 }));
  expect(error.code).toBe(Code.UNIMPLEMENTED);
  expect(server.attempts.map((headers) => headers['grpc-previous-rpc-attempts'])).toEqual([undefined, '1']);
});

test.each(ends)('a call on %s is retried at most twice, and then UNAVAILABLE', async (_name, end) => {
  await using server = await startEnding(end, Number.POSITIVE_INFINITY);
  using client = createClient(EchoService, { target: server.target });
  const error = await rejectionOf(client.getEcho({ key: 'A' }, { deadlineMs: 5000 }));
  expect(error.code).toBe(Code.UNAVAILABLE);
  expect(server.attempts).toHaveLength(3);
});

test.each(ends)('a call on %s is UNAVAILABLE if its method is not safe to repeat', async (_name, end) => {
  await using server = await startEnding(end);
  using client = createClient(EchoService, { target: server.target });
  const error = await rejectionOf(Array.fromAsync(client.exchangeEchoes([{ key: 'A' }])));
  expect(error.code).toBe(Code.UNAVAILABLE);
  expect(server.attempts).toHaveLength(1);
});

test.each(ends)('a resuming watch resumes after %s', async (name, end) => {
  let calls = 0;
  const heartbeat = Buffer.from([0, 0, 0, 0, 0]);
  await using server = await startRawServer((_headers, stream) => {
    stream.respond({ ':status': 200, 'content-type': 'application/grpc' });
    stream.write(heartbeat, () => {
      if (++calls === 1) end(stream);
    });
    return undefined;
  });
  using client = createClient(EchoService, { target: server.target });
  const interruptions: unknown[] = [];
  const onInterrupted = (error: unknown) => interruptions.push(error);
  const watch = resumingWatch(client.watchEchoes, {}, { onInterrupted });
  await watch.next();
  await watch.next();
  await watch.return();
  // Node ends a response before it resets its stream, so the client sees one without a status.
  const code = name.includes('connection') ? Code.UNAVAILABLE : Code.INTERNAL;
  expect(interruptions).toMatchObject([{ code }]);
});

test('a call on a connection that reaches its maximum age is retried', async () => {
  let calls = 0;
  const limits = { 'grpc.max_connection_age_ms': 100, 'grpc.max_connection_age_grace_ms': 100 };
  await using replica = await startReplica(
    {
      getEcho: async ({ key }, { signal }) => {
        if (calls++ === 0) await new Promise((resolve) => signal.addEventListener('abort', resolve));
        return { echo: { key } };
      },
    },
    { limits },
  );
  using client = createClient(EchoService, { target: `127.0.0.1:${replica.port}` });
  await client.getEcho({ key: 'A' }, { deadlineMs: 5000 });
  expect(calls).toBe(2);
});

test('an INTERNAL of the server stays INTERNAL', async () => {
  await using server = await startRawServer(() => ({ 'grpc-status': Code.INTERNAL, 'grpc-message': 'bug' }));
  using client = createClient(EchoService, { target: server.target });
  const error = await rejectionOf(client.getEcho({ key: 'A' }));
  expect(error).toMatchObject({ code: Code.INTERNAL, message: 'bug' });
  expect(server.attempts).toHaveLength(1);
});

test.each(ends)('grpc-js by itself still reports %s as INTERNAL', async (_name, end) => {
  await using server = await startEnding(end);
  const client = new GrpcClient(server.target, credentials.createInsecure());
  const asIs = (bytes: Buffer) => bytes;
  const error = await new Promise<ServiceError | null>((resolve) =>
    client.makeUnaryRequest('/a.B/C', asIs, asIs, Buffer.of(), (failure) => resolve(failure)),
  );
  client.close();
  expect(error?.code).toBe(Code.INTERNAL);
  expect(error?.details).toMatch(/^Received RST_STREAM with code [02] /);
});
