// The client's side of gRPC's interoperability cases, on the public API of @acme/rpc.

import { deepEqual, equal, rejects } from 'node:assert/strict';
import { type CallOptions, type Client, createClient } from '@acme/rpc/client';
import { Code } from '@acme/rpc/errors';
import type { MessageInitShape } from '@bufbuild/protobuf';
import type { Metadata } from '@grpc/grpc-js';
import type { StreamingOutputCallRequestSchema } from '../gen/grpc/testing/messages_pb.ts';
import { TestService, UnimplementedService } from '../gen/grpc/testing/test_pb.ts';
import { initialKey, trailingKey } from './test-service.ts';

type TestClient = Client<typeof TestService>;
type Request = MessageInitShape<typeof StreamingOutputCallRequestSchema>;

const requestSizes = [27182, 8, 1828, 45904];
const responseSizes = [31415, 9, 2653, 58979];
const large = { request: 271828, response: 314159 };
const payload = (size: number) => ({ body: new Uint8Array(size) });
const exchange = (index: number): Request => ({
  responseParameters: [{ size: responseSizes[index] ?? 0 }],
  payload: payload(requestSizes[index] ?? 0),
});

/** Requests that do not end, so that the stream stays open. */
async function* openStream<T>(...requests: T[]): AsyncGenerator<T, void> {
  yield* requests;
  await new Promise(() => {});
}

async function sizesOf(responses: AsyncIterable<{ payload?: { body: Uint8Array } | undefined }>) {
  return (await Array.fromAsync(responses)).map((response) => response.payload?.body.length);
}

/** The cases by name: https://github.com/grpc/grpc/blob/master/doc/interop-test-descriptions.md */
const cases: Readonly<Record<string, (client: TestClient, target: string) => Promise<unknown>>> = {
  empty_unary: (client) => client.emptyCall({}),
  large_unary: async (client) => {
    const response = await client.unaryCall({
      responseSize: large.response,
      payload: payload(large.request),
    });
    equal(response.payload?.body.length, large.response);
  },
  client_streaming: async (client) => {
    const response = await client.streamingInputCall(
      requestSizes.map((size) => ({ payload: payload(size) })),
    );
    equal(response.aggregatedPayloadSize, 74922);
  },
  server_streaming: async (client) => {
    const responseParameters = responseSizes.map((size) => ({ size }));
    deepEqual(await sizesOf(client.streamingOutputCall({ responseParameters })), responseSizes);
  },
  ping_pong: async (client) => {
    let answered = Promise.withResolvers<void>();
    async function* requests() {
      for (const index of requestSizes.keys()) {
        yield exchange(index);
        await answered.promise;
        answered = Promise.withResolvers();
      }
    }
    const sizes: (number | undefined)[] = [];
    for await (const response of client.fullDuplexCall(requests())) {
      sizes.push(response.payload?.body.length);
      answered.resolve();
    }
    deepEqual(sizes, responseSizes);
  },
  empty_stream: async (client) => deepEqual(await sizesOf(client.fullDuplexCall([])), []),
  timeout_on_sleeping_server: async (client) => {
    const responses = client.fullDuplexCall(openStream({ payload: payload(27182) }), { deadlineMs: 1 });
    await rejects(Array.fromAsync(responses), { code: Code.DEADLINE_EXCEEDED });
  },
  cancel_after_begin: async (client) => {
    const abort = new AbortController();
    const call = client.streamingInputCall(openStream<Record<never, never>>(), { signal: abort.signal });
    abort.abort();
    await rejects(call, { code: Code.CANCELLED });
  },
  cancel_after_first_response: async (client) => {
    const abort = new AbortController();
    const responses = client.fullDuplexCall(openStream(exchange(0)), { signal: abort.signal });
    equal((await responses.next()).value?.payload?.body.length, responseSizes[0]);
    abort.abort();
    await rejects(responses.next(), { code: Code.CANCELLED });
  },
  status_code_and_message: async (client) => {
    const responseStatus = { code: Code.UNKNOWN, message: 'test status message' };
    await rejects(client.unaryCall({ responseStatus }), responseStatus);
    await rejects(Array.fromAsync(client.fullDuplexCall([{ responseStatus }])), responseStatus);
  },
  special_status_message: async (client) => {
    const message = '\t\ntest with whitespace\r\nand Unicode BMP ☺ and non-BMP 😈\t\n';
    const responseStatus = { code: Code.UNKNOWN, message };
    await rejects(client.unaryCall({ responseStatus }), responseStatus);
  },
  custom_metadata: async (client) => {
    const bytes = Buffer.from('0a0b0a0b0a0b', 'hex');
    const received: unknown[] = [];
    const options: CallOptions = {
      metadata: { [initialKey]: 'test_initial_metadata_value', [trailingKey]: bytes },
      onHeaders: (headers: Metadata) => received.push(headers.get(initialKey)),
      onTrailers: (trailers: Metadata) => received.push(trailers.get(trailingKey)),
    };
    const expected = [['test_initial_metadata_value'], [bytes]];
    await client.unaryCall({ responseSize: 1, payload: payload(1) }, options);
    deepEqual(received.splice(0), expected);
    const request = { responseParameters: [{ size: 1 }], payload: payload(1) };
    await Array.fromAsync(client.fullDuplexCall([request], options));
    deepEqual(received, expected);
  },
  unimplemented_method: (client) => rejects(client.unimplementedCall({}), { code: Code.UNIMPLEMENTED }),
  unimplemented_service: async (_client, target) => {
    using other = createClient(UnimplementedService, { target, policies: policiesOf(UnimplementedService) });
    await rejects(other.unimplementedCall({}), { code: Code.UNIMPLEMENTED });
  },
  rpc_soak: (client) => soak(() => client),
  channel_soak: (_client, target) => soak(() => clientOf(target)),
};

export const clientCases = Object.keys(cases);

/** Runs a case against a server. Rejects with the reason when it fails. */
export async function runClientCase(name: string, target: string): Promise<void> {
  using client = clientOf(target);
  await cases[name]?.(client, target);
}

function clientOf(target: string): TestClient {
  return createClient(TestService, { target, policies: policiesOf(TestService) });
}

function policiesOf({ typeName }: { readonly typeName: string }) {
  return { [typeName]: { deadlineMs: 10_000, scopes: [] } };
}

/** Makes ten large calls, one after the other. */
async function soak(nextClient: () => TestClient): Promise<void> {
  for (let call = 0; call < 10; call++) {
    const client = nextClient();
    const request = { responseSize: large.response, payload: payload(large.request) };
    equal((await client.unaryCall(request)).payload?.body.length, large.response);
  }
}
