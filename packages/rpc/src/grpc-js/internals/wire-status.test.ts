import { create } from '@bufbuild/protobuf';
import { expect, test } from 'vitest';
import { methodPath } from '../../call/method-name.ts';
import { Code, RpcError } from '../../errors/rpc-error.ts';
import { ErrorInfoSchema } from '../../gen/google/rpc/error_details_pb.ts';
import { handlerOfEachKind, requestsOfEachKind } from '../../testing/calls-of-each-kind.ts';
import { EchoService } from '../../testing/gen/testing/v1/echo_service_pb.ts';
import { connectRaw, grpcFrame } from '../../testing/network/raw-http2.ts';
import { startTestServer } from '../../testing/start-test-server.ts';

test('OK has no message', async () => {
  await using server = await startTestServer(
    EchoService,
    handlerOfEachKind(async () => []),
  );
  await using connection = await connectRaw(server.target);
  for (const [method, request] of requestsOfEachKind) {
    const { code, headers } = await connection.post(methodPath(method), grpcFrame(request));
    expect(code).toBe(Code.OK);
    expect(headers).not.toHaveProperty('grpc-message');
  }
});

test.each(['A', 'AB', 'ABC'])(
  'the details of an error with the reason %s have no padding',
  async (reason) => {
    await using server = await startTestServer(
      EchoService,
      handlerOfEachKind(async () => {
        throw new RpcError(Code.ABORTED, 'no', { details: [create(ErrorInfoSchema, { reason })] });
      }),
    );
    await using connection = await connectRaw(server.target);
    for (const [method, request] of requestsOfEachKind) {
      const { message, headers } = await connection.post(methodPath(method), grpcFrame(request));
      expect(message).toBe('no');
      expect(headers['grpc-status-details-bin']).toMatch(/^[A-Za-z0-9+/]+$/);
    }
  },
);
