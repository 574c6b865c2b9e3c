import { credentials, Client as GrpcClient, Metadata, type ServiceError } from '@grpc/grpc-js';
import { expect, test } from 'vitest';
import { Code } from '../errors/rpc-error.ts';
import { recordCrashes } from '../testing/crashes.ts';
import { EchoService } from '../testing/gen/testing/v1/echo_service_pb.ts';
import { startTestServer } from '../testing/start-test-server.ts';

const kiB = 1024;

test.each([
  ['17 KiB in one header', { 'x-big': 'x'.repeat(17 * kiB) }],
  ['17 KiB in 100 headers', headers(100, 17 * kiB)],
  ['31 KiB, just below the limit of HTTP/2', { 'x-big': 'x'.repeat(31 * kiB) }],
])('%s are rejected, and the connection stays open', async (_name, metadata) => {
  let served = 0;
  await using server = await startTestServer(EchoService, {
    listEchoes: async () => {
      served++;
      return {};
    },
  });
  const error = await failureOf(server.target, metadata);
  expect(error.code).toBe(Code.RESOURCE_EXHAUSTED);
  expect(error.details).toMatch(/^metadata takes \d+ bytes, at most 16384 are allowed$/);
  expect(served).toBe(0);
  await server.client.listEchoes({});
  expect(served).toBe(1);
});

test.each([
  ['33 KiB', { 'x-big': 'x'.repeat(33 * kiB) }],
  ['200 KiB', { 'x-big': 'x'.repeat(200 * kiB) }],
  ['500 headers', headers(500, 0)],
])('%s, over the limit of HTTP/2, are rejected, and the server stays up', async (_name, metadata) => {
  using crashes = recordCrashes();
  await using server = await startTestServer(EchoService, { listEchoes: async () => ({}) });
  await failureOf(server.target, metadata);
  await server.client.listEchoes({});
  expect(crashes.reasons).toEqual([]);
});

test.each([
  ['in one header, such as a long token', { 'x-big': 'x'.repeat(15 * kiB) }],
  ['in 100 headers', headers(100, 15 * kiB)],
])('15 KiB %s are accepted', async (_name, metadata) => {
  await using server = await startTestServer(EchoService, { listEchoes: async () => ({}) });
  await server.client.listEchoes({}, { metadata });
});

/** Returns `count` headers whose list has the given size, as HTTP/2 counts it. */
function headers(count: number, bytes: number): Record<string, string> {
  const value = 'x'.repeat(Math.max(1, Math.ceil(bytes / count) - 'x-100'.length - 32));
  return Object.fromEntries(Array.from({ length: count }, (_, index) => [`x-${100 + index}`, value]));
}

/** Calls ListEchoes with a client that does not limit metadata. Returns the error. */
async function failureOf(target: string, entries: Record<string, string>): Promise<ServiceError> {
  const client = new GrpcClient(target, credentials.createInsecure());
  const metadata = new Metadata();
  for (const [key, value] of Object.entries(entries)) metadata.set(key, value);
  const asIs = (bytes: Buffer) => bytes;
  const path = '/testing.v1.EchoService/ListEchoes';
  try {
    return await new Promise<ServiceError>((resolve, reject) => {
      client.makeUnaryRequest(path, asIs, asIs, Buffer.of(), metadata, (error) => {
        if (error) resolve(error);
        else reject(new Error('the call was answered'));
      });
    });
  } finally {
    client.close();
  }
}
