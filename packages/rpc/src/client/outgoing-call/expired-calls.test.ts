import { constants, type ServerHttp2Stream } from 'node:http2';
import { describe, expect, test } from 'vitest';
import { Code } from '../../errors/rpc-error.ts';
import { callsOfEachKind } from '../../testing/calls-of-each-kind.ts';
import { EchoService } from '../../testing/gen/testing/v1/echo_service_pb.ts';
import { rejectionOf } from '../../testing/rejection-of.ts';
import { startRawServer } from '../../testing/replicas/start-raw-server.ts';
import { createClient } from '../create-client.ts';

/** Resets a stream as grpc-go does with the stream of an expired call. */
function cancel(stream: ServerHttp2Stream): undefined {
  stream.close(constants.NGHTTP2_CANCEL);
  return undefined;
}

/** Shorter than the tolerance, so that a reset at any time is one at the deadline. */
const deadlineMs = 8;

describe.each(callsOfEachKind)('a %s call that the server cancels', (_kind, call) => {
  test('at its deadline is DEADLINE_EXCEEDED', async () => {
    await using server = await startRawServer((_headers, stream) => cancel(stream));
    using client = createClient(EchoService, { target: server.target });
    // Connects, so that the reset arrives before the deadline.
    await rejectionOf(call(client));
    for (let repetition = 0; repetition < 10; repetition++)
      expect((await rejectionOf(call(client, { deadlineMs }))).code).toBe(Code.DEADLINE_EXCEEDED);
  });

  test('before its deadline is CANCELLED', async () => {
    await using server = await startRawServer((_headers, stream) => cancel(stream));
    using client = createClient(EchoService, { target: server.target });
    expect((await rejectionOf(call(client, { deadlineMs: 60_000 }))).code).toBe(Code.CANCELLED);
  });

  test('after its caller has done so is CANCELLED', async () => {
    await using server = await startRawServer(() => undefined);
    using client = createClient(EchoService, { target: server.target });
    const options = { deadlineMs, signal: AbortSignal.abort() };
    expect((await rejectionOf(call(client, options))).code).toBe(Code.CANCELLED);
  });
});
