import { gunzipSync, inflateSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { Code } from '../errors/rpc-error.ts';
import { callsOfEachKind, handlerOfEachKind } from '../testing/calls-of-each-kind.ts';
import { EchoService } from '../testing/gen/testing/v1/echo_service_pb.ts';
import { rejectionOf } from '../testing/rejection-of.ts';
import { respondRaw, startRawServer } from '../testing/replicas/start-raw-server.ts';
import { startTestServer } from '../testing/start-test-server.ts';
import { createClient } from './create-client.ts';

/** A server that keeps the body of each request, and rejects it. */
async function startReading() {
  const bodies: Buffer[] = [];
  const server = await startRawServer((_headers, stream) => {
    const chunks: Buffer[] = [];
    stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    stream.on('end', () => {
      bodies.push(Buffer.concat(chunks));
      respondRaw(stream, { trailers: { 'grpc-status': String(Code.ABORTED) } });
    });
    return undefined;
  });
  return Object.assign(server, { bodies });
}

test.each(callsOfEachKind)('a %s call advertises no compression by default', async (_kind, call) => {
  await using server = await startReading();
  using client = createClient(EchoService, { target: server.target });
  await rejectionOf(call(client));
  expect(server.attempts).toHaveLength(1);
  expect(server.attempts[0]).not.toHaveProperty('grpc-accept-encoding');
  expect(server.attempts[0]).not.toHaveProperty('grpc-encoding');
  expect(server.bodies[0]?.[0]).toBe(0);
});

test.each([
  ['gzip', gunzipSync],
  ['deflate', inflateSync],
] as const)('a client with %s compresses requests and accepts compressed responses', async (name, decode) => {
  await using server = await startReading();
  using client = createClient(EchoService, { target: server.target, compression: name });
  await rejectionOf(client.getEcho({ key: 'A' }));
  expect(server.attempts[0]).toMatchObject({ 'grpc-encoding': name });
  expect(server.attempts[0]?.['grpc-accept-encoding']).toContain(name);
  const [body = Buffer.of()] = server.bodies;
  expect(body[0]).toBe(1);
  expect(decode(body.subarray(5))).toEqual(Buffer.from([0x0a, 1, 0x41]));
});

test.each(callsOfEachKind)('a %s call is compressed where the server supports it', async (_kind, call) => {
  let calls = 0;
  await using server = await startTestServer(
    EchoService,
    handlerOfEachKind(async () => {
      calls++;
      return [];
    }),
  );
  using client = createClient(EchoService, { target: server.target, token: () => 'a', compression: 'gzip' });
  for (let repetition = 0; repetition < 2; repetition++) await call(client);
  expect(calls).toBe(2);
});
