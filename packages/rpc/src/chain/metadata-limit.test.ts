import { credentials, Client as GrpcClient, Metadata, type ServiceError } from '@grpc/grpc-js';
import { expect, test } from 'vitest';
import { Code } from '../errors/rpc-error.ts';
import { noteCrashes } from '../testing/crashes.ts';
import { EchoService } from '../testing/gen/testing/v1/echo_service_pb.ts';
import { startTestServer } from '../testing/start-test-server.ts';

const kiB = 1024;

test.each([
  ['17 KiB in one header', { 'x-big': 'x'.repeat(17 * kiB) }],
  ['17 KiB in 100 headers', headers(100, 17 * kiB)],
  ['31 KiB, just less than what HTTP/2 lets through', { 'x-big': 'x'.repeat(31 * kiB) }],
])('ensure %s are refused, and the connection lives on', async (_name, metadata) => {
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
])(
  'ensure %s, more than HTTP/2 lets through, are refused, and the server lives on',
  async (_name, metadata) => {
    using crashes = noteCrashes();
    await using server = await startTestServer(EchoService, { listEchoes: async () => ({}) });
    await failureOf(server.target, metadata);
    await server.client.listEchoes({});
    expect(crashes.reasons).toEqual([]);
  },
);

test.each([
  ['in one header, such as a long token', { 'x-big': 'x'.repeat(15 * kiB) }],
  ['in 100 headers', headers(100, 15 * kiB)],
])('ensure 15 KiB %s are let through', async (_name, metadata) => {
  await using server = await startTestServer(EchoService, { listEchoes: async () => ({}) });
  await server.client.listEchoes({}, { metadata });
});

/** So many headers that take so much together, as HTTP/2 counts them. */
function headers(count: number, bytes: number): Record<string, string> {
  const value = 'x'.repeat(Math.max(1, Math.ceil(bytes / count) - 'x-100'.length - 32));
  return Object.fromEntries(Array.from({ length: count }, (_, index) => [`x-${100 + index}`, value]));
}

/** How ListEchoes fails for a client that limits no metadata of its own. */
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
