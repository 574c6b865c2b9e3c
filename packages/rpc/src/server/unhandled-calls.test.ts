import { gzipSync } from 'node:zlib';
import { ATTR_RPC_METHOD, METRIC_RPC_SERVER_CALL_DURATION } from '@opentelemetry/semantic-conventions';
import { expect, test, vi } from 'vitest';
import { methodPath } from '../call/method-name.ts';
import { checkHealth } from '../client/health/check-health.ts';
import { callsOfEachKind, handlerOfEachKind } from '../testing/calls-of-each-kind.ts';
import { EchoService } from '../testing/gen/testing/v1/echo_service_pb.ts';
import { PingService } from '../testing/gen/testing/v1/ping_service_pb.ts';
import { connectRaw, grpcFrame } from '../testing/network/raw-http2.ts';
import { startTestServer, type TestServer } from '../testing/start-test-server.ts';
import { collectTelemetry } from '../testing/telemetry/collect-telemetry.ts';
import { serve } from './served-service.ts';

const getEcho = methodPath(EchoService.method.getEcho);
const large = Buffer.alloc(2 * 1024 * 1024);
const empty = grpcFrame(Buffer.alloc(0));

/** Waits for `count` lines of calls and returns them. */
async function callLines({ logLines }: Pick<TestServer<never>, 'logLines'>, count = 1) {
  const lines = () => logLines.filter(({ msg }) => msg === 'call');
  await vi.waitUntil(() => lines().length >= count, { timeout: 15_000 });
  return lines();
}

test('a rejected call of any service of the server is logged with its method', async () => {
  await using server = await startTestServer(
    EchoService,
    {},
    { otherServices: [serve(PingService, { ping: async () => ({}) })] },
  );
  await using connection = await connectRaw(server.target);
  for (const method of [EchoService.method.getEcho, PingService.method.ping])
    await connection.post(methodPath(method), empty, { 'content-type': 'text/plain' });
  expect((await callLines(server, 2)).map(({ method }) => method)).toEqual([
    'testing.v1.EchoService/GetEcho',
    'testing.v1.PingService/Ping',
  ]);
});

test.each<[string, string, Buffer, Record<string, string>, Record<string, unknown>]>([
  [
    'an unknown method',
    '/testing.v1.EchoService/Steal',
    empty,
    {},
    { code: 'UNIMPLEMENTED', method: '_OTHER', path: '/testing.v1.EchoService/Steal' },
  ],
  ['a malformed path', `/%zz${'x'.repeat(5000)}`, empty, {}, { code: 'UNIMPLEMENTED', method: '_OTHER' }],
  [
    'a request without a message',
    getEcho,
    Buffer.alloc(0),
    {},
    { level: 'error', code: 'UNIMPLEMENTED', method: getEcho.slice(1), error: /^no request message came$/ },
  ],
  [
    'a message over the limit',
    getEcho,
    grpcFrame(large),
    {},
    {
      code: 'RESOURCE_EXHAUSTED',
      method: getEcho.slice(1),
      error: /^a request message takes over 1048576 bytes$/,
    },
  ],
  [
    'a gzip bomb',
    getEcho,
    grpcFrame(gzipSync(large), { compressed: true }),
    { 'grpc-encoding': 'gzip' },
    {
      code: 'RESOURCE_EXHAUSTED',
      method: getEcho.slice(1),
      error: /^the request decompresses to more than 1048576 bytes$/,
    },
  ],
  [
    'a content-type other than gRPC',
    getEcho,
    empty,
    { 'content-type': 'application/json' },
    { code: 'UNKNOWN', error: /^answered HTTP 415$/ },
  ],
])('%s is one log line and one measurement', async (_name, path, body, headers, expected) => {
  await using telemetry = collectTelemetry();
  await using server = await startTestServer(EchoService, {});
  await using connection = await connectRaw(server.target);
  await connection.post(path, body, headers);
  const [line, ...others] = await callLines(server);
  const { error, ...fields } = expected;
  expect(line).toMatchObject({
    level: 'info',
    ...fields,
    peer: expect.stringMatching(/^127\.0\.0\.1:\d+$/),
    duration_ms: expect.any(Number),
    error: error instanceof RegExp ? expect.stringMatching(error) : expect.any(String),
  });
  expect(others).toEqual([]);
  const isKnown = path === getEcho;
  expect(await telemetry.points(METRIC_RPC_SERVER_CALL_DURATION)).toMatchObject([
    { attributes: { [ATTR_RPC_METHOD]: isKnown ? getEcho.slice(1) : '_OTHER' }, value: { count: 1 } },
  ]);
});

test.each(callsOfEachKind)('a %s call that is served has no second line', async (_kind, call) => {
  await using server = await startTestServer(
    EchoService,
    handlerOfEachKind(async () => []),
  );
  await call(server.client, { deadlineMs: 5000 });
  server.running.setReady(true);
  expect(await checkHealth(server.target)).toBe(true);
  await using connection = await connectRaw(server.target);
  // The last line: lines of earlier calls would have been written before it.
  await connection.post('/none', empty);
  expect(await callLines(server, 2)).toMatchObject([{ code: 'OK' }, { method: '_OTHER' }]);
});

test('a call that the chain rejects has one line, and its request id is returned', async () => {
  await using server = await startTestServer(EchoService, {});
  await using connection = await connectRaw(server.target);
  await connection.post(getEcho, empty, { authorization: 'none', 'x-request-id': 'own' });
  await connection.post('/none', empty);
  expect(await callLines(server, 2)).toMatchObject([{ code: 'UNAUTHENTICATED' }, { method: '_OTHER' }]);
});

test('of several servers only the called one logs a call', async () => {
  await using first = await startTestServer(EchoService, {});
  await using second = await startTestServer(EchoService, {});
  await using connection = await connectRaw(second.target);
  await connection.post('/none', empty);
  await callLines(second);
  expect(first.logLines).toEqual([]);
});

test('calls of unknown methods are ten lines a second, whatever their names are', async () => {
  await using server = await startTestServer(EchoService, {});
  await using connection = await connectRaw(server.target);
  for (let round = 0; round < 10; round++)
    await Promise.all(
      Array.from({ length: 20 }, () =>
        connection.post(`/a.B/C${crypto.randomUUID().replaceAll('-', '')}`, empty),
      ),
    );
  await vi.waitUntil(() => server.logLines.some(({ msg }) => msg === 'lines suppressed'), {
    timeout: 15_000,
  });
  const suppressed = server.logLines.filter(({ msg }) => msg === 'lines suppressed');
  for (const line of suppressed)
    expect(line).toMatchObject({ of: 'call', method: '_OTHER', code: 'UNIMPLEMENTED' });
  expect(server.logLines.filter(({ msg }) => msg === 'call').length).toBeLessThan(100);
});

test('the line of a call that is rejected before its handler contains no text of the caller', async () => {
  await using server = await startTestServer(EchoService, {});
  await using connection = await connectRaw(server.target);
  await connection.post('/canary?token=canary', empty);
  await connection.post(getEcho, grpcFrame(gzipSync('x'), { compressed: true }), {
    'grpc-encoding': 'canary',
  });
  await connection.post(getEcho, empty, { 'grpc-timeout': 'canary' });
  await callLines(server, 2);
  expect(JSON.stringify(server.logLines)).not.toContain('canary');
});

test('a header that is not ASCII is not logged', async () => {
  await using server = await startTestServer(EchoService, {});
  await using connection = await connectRaw(server.target);
  for (let call = 0; call < 20; call++)
    await connection.post(getEcho, empty, {
      authorization: `Bearer canary\u00e9${'x'.repeat(1000)}`,
      'x-other': `canary\u00e9`,
    });
  await callLines(server);
  const text = JSON.stringify(server.logLines);
  expect(text).not.toContain('canary');
  expect(text).toContain('"msg":"grpc-js: Failed to add metadata entry"');
  expect(text.length).toBeLessThan(20_000);
});
