import type { Metadata } from '@grpc/grpc-js';
import { expect, test } from 'vitest';
import type { CallContext } from '../../call/call-context.ts';
import { RpcError } from '../../errors/rpc-error.ts';
import { callsOfEachKind, handlerOfEachKind } from '../../testing/calls-of-each-kind.ts';
import { EchoService } from '../../testing/gen/testing/v1/echo_service_pb.ts';
import { rejectionOf } from '../../testing/rejection-of.ts';
import { startTestServer } from '../../testing/start-test-server.ts';

const sent = { 'x-text': 'a', 'x-many-bin': [Uint8Array.of(0, 255), Uint8Array.of()] };

/** A server whose calls return the metadata that they are sent, as headers and as trailers, and fail if they are told to. */
function startReturning() {
  const handle = async (...parameters: unknown[]) => {
    const { requestMetadata, responseHeaders, responseTrailers } = parameters[1] as CallContext;
    for (const key of ['x-text', 'x-many-bin'])
      for (const value of requestMetadata.get(key)) {
        responseHeaders.add(key, value);
        responseTrailers.add(key, value);
      }
    const [code] = requestMetadata.get('x-code');
    if (code) throw new RpcError(Number(code), 'as requested');
    return [];
  };
  return startTestServer(EchoService, handlerOfEachKind(handle as never));
}

test.each(callsOfEachKind)(
  'a %s call carries text and bytes both ways, also if it fails',
  async (_kind, call) => {
    await using server = await startReturning();
    for (const code of [undefined, '10']) {
      const received: Metadata[] = [];
      const options = {
        metadata: { ...sent, ...(code && { 'x-code': code }) },
        onHeaders: (headers: Metadata) => void received.push(headers),
        onTrailers: (trailers: Metadata) => void received.push(trailers),
      };
      if (code) expect((await rejectionOf(call(server.client, options))).code).toBe(10);
      else await call(server.client, options);
      expect(received.map((metadata) => metadata.get('x-text'))).toEqual([['a'], ['a']]);
      const bytes = [Buffer.of(0, 255), Buffer.of()];
      expect(received.map((metadata) => metadata.get('x-many-bin'))).toEqual([bytes, bytes]);
    }
  },
);
