import { deflateSync, gzipSync } from 'node:zlib';
import { create, toBinary } from '@bufbuild/protobuf';
import { expect, test } from 'vitest';
import { methodPath } from '../call/method-name.ts';
import { Code } from '../errors/rpc-error.ts';
import { recordCrashes } from '../testing/crashes.ts';
import { EchoService, GetEchoRequestSchema } from '../testing/gen/testing/v1/echo_service_pb.ts';
import { connectRaw, grpcFrame } from '../testing/network/raw-http2.ts';
import { rejectionOf } from '../testing/rejection-of.ts';
import { startTestServer } from '../testing/start-test-server.ts';

const getEcho = methodPath(EchoService.method.getEcho);
const encode = (key: string) => toBinary(GetEchoRequestSchema, create(GetEchoRequestSchema, { key }));
const frame = grpcFrame(encode('A'));
const gzipped = (message: Uint8Array) => grpcFrame(gzipSync(message), { compressed: true });
const deflated = (message: Uint8Array) => grpcFrame(deflateSync(message), { compressed: true });

const startEcho = () => startTestServer(EchoService, { getEcho: async ({ key }) => ({ echo: { key } }) });

test.each([
  ['an unknown method', '/testing.v1.EchoService/Steal'],
  ['an unknown service', '/evil.v1.EvilService/GetEcho'],
  ['a property that every object has', '/testing.v1.EchoService/constructor'],
  ['an empty path', '/'],
])('a call of %s returns UNIMPLEMENTED', async (_name, path) => {
  await using server = await startEcho();
  await using connection = await connectRaw(server.target);
  expect(await connection.post(path, frame)).toMatchObject({ httpStatus: 200, code: Code.UNIMPLEMENTED });
});

test.each(['application/json', 'text/plain', 'application/x-www-form-urlencoded'])(
  'a request with content-type %s returns HTTP 415',
  async (contentType) => {
    await using server = await startEcho();
    await using connection = await connectRaw(server.target);
    const answer = await connection.post(getEcho, frame, { 'content-type': contentType });
    expect(answer.httpStatus).toBe(415);
  },
);

test.each<[string, Buffer, Record<string, string>]>([
  ['a message over 1 MiB', grpcFrame(encode('x'.repeat(1024 * 1024))), {}],
  ['a length prefix of 4 GiB', grpcFrame(encode('A'), { length: 2 ** 32 - 1 }), {}],
  ['a gzip bomb', gzipped(Buffer.alloc(50 * 1024 * 1024)), { 'grpc-encoding': 'gzip' }],
  ['a deflate bomb', deflated(Buffer.alloc(50 * 1024 * 1024)), { 'grpc-encoding': 'deflate' }],
])('%s returns RESOURCE_EXHAUSTED, and the connection stays open', async (_name, body, headers) => {
  using crashes = recordCrashes();
  await using server = await startEcho();
  await using connection = await connectRaw(server.target);
  const answer = await connection.post(getEcho, body, headers);
  expect(answer).toMatchObject({ httpStatus: 200, code: Code.RESOURCE_EXHAUSTED });
  expect(await connection.post(getEcho, frame)).toMatchObject({ code: Code.OK });
  expect(crashes.reasons).toEqual([]);
});

test.each<[string, Buffer, Code]>([
  ['an honest gzip message', gzipped(encode('A')), Code.OK],
  ['bytes that are not gzip', grpcFrame(encode('A'), { compressed: true }), Code.INTERNAL],
  ['a truncated gzip', grpcFrame(gzipSync(encode('A')).subarray(0, 12), { compressed: true }), Code.INTERNAL],
])('%s is decompressed or rejected, and the connection stays open', async (_name, body, code) => {
  using crashes = recordCrashes();
  await using server = await startEcho();
  await using connection = await connectRaw(server.target);
  expect(await connection.post(getEcho, body, { 'grpc-encoding': 'gzip' })).toMatchObject({ code });
  expect(await connection.post(getEcho, frame)).toMatchObject({ code: Code.OK });
  expect(crashes.reasons).toEqual([]);
});

test('a client that sends a message over the limit gets RESOURCE_EXHAUSTED, and its next call is served', async () => {
  await using server = await startEcho();
  const error = await rejectionOf(server.client.getEcho({ key: 'x'.repeat(2 * 1024 * 1024) }));
  expect(error.code).toBe(Code.RESOURCE_EXHAUSTED);
  expect(await server.client.getEcho({ key: 'A' })).toMatchObject({ echo: { key: 'A' } });
});
