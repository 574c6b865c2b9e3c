// grpc.testing.TestService on the public API of @acme/rpc, as the interoperability cases of gRPC describe it.

import { setTimeout as sleep } from 'node:timers/promises';
import { readEnvironment } from '@acme/rpc/config';
import { Code, RpcError } from '@acme/rpc/errors';
import { type CallContext, readServerConfig, serve, startService } from '@acme/rpc/server';
import { pino } from 'pino';
import type { EchoStatus, StreamingOutputCallRequest } from '../gen/grpc/testing/messages_pb.ts';
import { TestService } from '../gen/grpc/testing/test_pb.ts';

/** Keys of the metadata that the server returns. */
export const initialKey = 'x-grpc-test-echo-initial';
export const trailingKey = 'x-grpc-test-echo-trailing-bin';

const service = serve(TestService, {
  emptyCall: async () => ({}),
  unaryCall: async ({ responseSize, responseStatus }, context) => {
    echoMetadata(context);
    throwStatus(responseStatus);
    return { payload: { body: new Uint8Array(responseSize) }, serverId: 'saturday' };
  },
  cacheableUnaryCall: async ({ responseSize }) => ({ payload: { body: new Uint8Array(responseSize) } }),
  streamingOutputCall: (request) => responsesTo(request),
  async streamingInputCall(requests) {
    let aggregatedPayloadSize = 0;
    for await (const { payload } of requests) aggregatedPayloadSize += payload?.body.length ?? 0;
    return { aggregatedPayloadSize };
  },
  async *fullDuplexCall(requests, context) {
    echoMetadata(context);
    context.sendHeaders();
    for await (const request of requests) {
      throwStatus(request.responseStatus);
      yield* responsesTo(request);
    }
  },
  async *halfDuplexCall(requests) {
    for (const request of await Array.fromAsync(requests)) yield* responsesTo(request);
  },
  unimplementedCall: async () => {
    throw new RpcError(Code.UNIMPLEMENTED, 'the cases require this method not to be served');
  },
});

/** Starts the service on a free port of loopback. */
export async function startTestService(): Promise<AsyncDisposable & { readonly port: number }> {
  const environment = readEnvironment({ NODE_ENV: 'test', LISTEN_ADDRESS: '127.0.0.1:0' });
  const config = readServerConfig(environment, '127.0.0.1:0', { auth: 'optional' });
  environment.check();
  const { port, drain } = await startService({
    config,
    log: pino({ level: 'silent' }),
    services: [service],
    policies: {
      [TestService.typeName]: { deadlineMs: 60_000, scopes: [] },
    },
    errorMap: () => undefined,
    checkReadiness: async () => {},
  });
  return { port, [Symbol.asyncDispose]: drain };
}

async function* responsesTo({ responseParameters }: StreamingOutputCallRequest) {
  for (const { size, intervalUs } of responseParameters) {
    if (intervalUs > 0) await sleep(intervalUs / 1000);
    yield { payload: { body: new Uint8Array(size) } };
  }
}

function echoMetadata({ requestMetadata, responseHeaders, responseTrailers }: CallContext): void {
  for (const value of requestMetadata.get(initialKey)) responseHeaders.add(initialKey, value);
  for (const value of requestMetadata.get(trailingKey)) responseTrailers.add(trailingKey, value);
}

function throwStatus(status: EchoStatus | undefined): void {
  if (status && status.code !== Code.OK) throw new RpcError(status.code, status.message);
}
