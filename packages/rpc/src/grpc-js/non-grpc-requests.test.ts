import { expect, test, vi } from 'vitest';
import { methodPath } from '../call/method-name.ts';
import { Code } from '../errors/rpc-error.ts';
import { handlerOfEachKind, requestsOfEachKind } from '../testing/calls-of-each-kind.ts';
import { recordCrashes } from '../testing/crashes.ts';
import { EchoService } from '../testing/gen/testing/v1/echo_service_pb.ts';
import { connectRaw, grpcFrame } from '../testing/network/raw-http2.ts';
import { startTestServer } from '../testing/start-test-server.ts';

const [[getEcho, request]] = requestsOfEachKind as [(typeof requestsOfEachKind)[number]];

test.each([
  ['a DELETE', { ':method': 'DELETE' }, 405],
  ['a PUT', { ':method': 'PUT' }, 405],
  ['application/grpc+foo', { 'content-type': 'application/grpc+foo' }, 415],
  ['application/grpc+json', { 'content-type': 'application/grpc+json' }, 415],
  ['application/grpc-web', { 'content-type': 'application/grpc-web' }, 415],
])('%s is not served, but answered with its HTTP status and logged', async (_name, headers, httpStatus) => {
  const served: string[] = [];
  await using server = await startTestServer(
    EchoService,
    handlerOfEachKind(async () => {
      served.push('a call');
      return [];
    }),
  );
  await using connection = await connectRaw(server.target);
  for (const [method, message] of requestsOfEachKind) {
    const answer = await connection.post(methodPath(method), grpcFrame(message), headers);
    expect(answer).toMatchObject({ httpStatus, code: undefined });
  }
  const lines = () => server.logLines.filter(({ msg }) => msg === 'call');
  await vi.waitUntil(() => lines().length >= requestsOfEachKind.length, { timeout: 15_000 });
  expect(lines()[0]).toMatchObject({ code: 'UNKNOWN', error: `answered HTTP ${httpStatus}` });
  expect(served).toEqual([]);
  // The connection is still of use.
  expect(await connection.post(methodPath(getEcho), grpcFrame(request))).toMatchObject({
    code: Code.OK,
  });
});

test.each(['a timeout', '1n'])(
  'a request that is not served and has the timeout `%s` gets one answer, and does not end the process',
  async (timeout) => {
    using crashes = recordCrashes();
    await using server = await startTestServer(EchoService, { getEcho: async () => ({}) });
    await using connection = await connectRaw(server.target);
    const headers = { 'content-type': 'application/grpc+json', 'grpc-timeout': timeout };
    for (const [method, message] of requestsOfEachKind)
      expect(await connection.post(methodPath(method), grpcFrame(message), headers)).toMatchObject({
        httpStatus: 415,
        code: undefined,
      });
    expect(crashes.reasons).toEqual([]);
  },
);

test.each(['application/grpc', 'application/grpc+proto', 'application/grpc;charset=utf-8'])(
  '%s is served',
  async (contentType) => {
    await using server = await startTestServer(EchoService, { getEcho: async () => ({}) });
    await using connection = await connectRaw(server.target);
    const headers = { 'content-type': contentType };
    const answer = await connection.post(methodPath(getEcho), grpcFrame(request), headers);
    expect(answer).toMatchObject({ code: Code.OK });
  },
);
