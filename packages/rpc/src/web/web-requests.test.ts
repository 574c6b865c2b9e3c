import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { gzipSync } from 'node:zlib';
import { create, toBinary } from '@bufbuild/protobuf';
import { expect, test } from 'vitest';
import type { Interceptor } from '../call/handler.ts';
import { methodPath } from '../call/method-name.ts';
import { EchoService, GetEchoRequestSchema } from '../testing/gen/testing/v1/echo_service_pb.ts';
import { startTestServer, type TestServer, type TestServerOptions } from '../testing/start-test-server.ts';

type Implementation = Parameters<typeof startTestServer<typeof EchoService>>[1];

const startWeb = (implementation: Implementation = {}, options: TestServerOptions = {}) =>
  startTestServer(
    EchoService,
    { getEcho: async ({ key }) => ({ echo: { key } }), ...implementation },
    { web: {}, ...options },
  );

const token = { authorization: 'Bearer test-token' };

/** Calls a method by Connect in JSON. */
function post(server: TestServer<typeof EchoService>, method: string, body: unknown, init: RequestInit = {}) {
  return fetch(`${server.webUrl}/testing.v1.EchoService/${method}`, {
    method: 'POST',
    body: typeof body === 'string' || body instanceof Buffer ? body : JSON.stringify(body),
    ...init,
    headers: { 'content-type': 'application/json', ...token, ...init.headers },
  });
}

/** Calls GetEcho by GET. */
function get(server: TestServer<typeof EchoService>, query: Record<string, string>, method = 'GetEcho') {
  const url = `${server.webUrl}/testing.v1.EchoService/${method}?${new URLSearchParams(query)}`;
  return fetch(url, { headers: token });
}

test('a method without side effects is called by GET, in JSON and in compressed binary', async () => {
  await using server = await startWeb();
  const json = await get(server, { encoding: 'json', message: '{"key":"A"}' });
  expect(await json.json()).toEqual({ echo: { key: 'A' } });
  const message = gzipSync(toBinary(GetEchoRequestSchema, create(GetEchoRequestSchema, { key: 'A' })));
  const binary = await get(server, {
    encoding: 'proto',
    compression: 'gzip',
    base64: '1',
    message: message.toString('base64url'),
  });
  expect(binary.headers.get('content-type')).toBe('application/proto');
  expect(Buffer.from(await binary.arrayBuffer())).toEqual(Buffer.from('\n\u0003\n\u0001A'));
});

test('a question mark in the message of a GET is a part of it', async () => {
  await using server = await startWeb();
  const url = `${server.webUrl}${methodPath(EchoService.method.getEcho)}?encoding=json&message={"key":"A?B"}`;
  expect(await (await fetch(url, { headers: token })).json()).toEqual({ echo: { key: 'A?B' } });
});

test('the messages of GET requests in JSON count in the memory budget', async () => {
  const released = Promise.withResolvers<void>();
  await using server = await startWeb(
    {
      getEcho: async ({ key }) => {
        await released.promise;
        return { echo: { key } };
      },
    },
    { maxRequestBytes: 32_768, maxResponseBytes: 32_768, memoryBudgetBytes: 131_072 },
  );
  const message = JSON.stringify({ key: 'A', unknown: 'x'.repeat(15_000) });
  const answers = Array.from({ length: 9 }, () => get(server, { encoding: 'json', message }));
  const first = await Promise.race(answers);
  expect([first.status, await first.json()]).toMatchObject([429, { code: 'resource_exhausted' }]);
  released.resolve();
  expect((await Promise.all(answers)).map(({ status }) => status).toSorted()).toEqual([
    ...Array(8).fill(200),
    429,
  ]);
});

test('a method with side effects is not called by GET', async () => {
  await using server = await startWeb();
  const answer = await get(server, { encoding: 'json', message: '{}' }, 'PutEchoes');
  expect([answer.status, answer.headers.get('allow')]).toEqual([405, 'POST']);
});

test.each([
  ['an unknown path', 404, 'GetNothing', 'POST', 'application/json', 'unimplemented'],
  ['another verb', 405, 'GetEcho', 'DELETE', 'application/json', 'unknown'],
  ['the content type of a stream', 415, 'GetEcho', 'POST', 'application/connect+json', 'unknown'],
])(
  '%s of Connect is answered with HTTP %d and an error in JSON, and logged',
  async (_name, status, method, verb, contentType, code) => {
    await using server = await startWeb();
    const answer = await post(server, method, {}, { method: verb, headers: { 'content-type': contentType } });
    expect([answer.status, answer.headers.get('content-type')]).toEqual([status, 'application/json']);
    expect(await answer.json()).toEqual({ code, message: expect.any(String) });
    expect(server.logLines.at(-1)).toMatchObject({
      msg: 'call',
      protocol: 'http',
      code: 'UNKNOWN',
      error: `answered HTTP ${status}`,
    });
  },
);

test.each([
  ['an unknown path of gRPC-Web', 404, 'GetNothing', 'application/grpc-web+json', 'there is no such method'],
  ['gRPC, which has a port of its own', 415, 'GetEcho', 'application/grpc', 'the content type is not'],
  ['another content type', 415, 'GetEcho', 'text/plain', 'the content type is not one of this method'],
])('%s is answered with HTTP %d and a text, and logged', async (_name, status, method, contentType, text) => {
  await using server = await startWeb();
  const answer = await post(server, method, {}, { headers: { 'content-type': contentType } });
  expect([answer.status, answer.headers.get('content-type')]).toEqual([status, 'text/plain; charset=utf-8']);
  expect(await answer.text()).toContain(text);
  expect(server.logLines.at(-1)).toMatchObject({ msg: 'call', error: `answered HTTP ${status}` });
});

test('the deadline of the header ends the call, at most at the cap of the contract', async () => {
  const deadlines: number[] = [];
  const leftMs: number[] = [];
  await using server = await startWeb({
    getEcho: async (_request, { deadlineAtMs }) => {
      deadlines.push(deadlineAtMs);
      leftMs.push(deadlineAtMs - Date.now());
      return new Promise(() => {});
    },
  });
  const late = await post(server, 'GetEcho', { key: 'A' }, { headers: { 'connect-timeout-ms': '50' } });
  expect([late.status, await late.json()]).toMatchObject([504, { code: 'deadline_exceeded' }]);
  const sentAtMs = Date.now();
  void post(server, 'GetEcho', { key: 'A' }, { headers: { 'connect-timeout-ms': '9999999999' } }).catch(
    () => {},
  );
  await expect.poll(() => leftMs.length).toBe(2);
  expect(leftMs[1]).toBeLessThanOrEqual(5000);
  expect(deadlines[1]).toBeGreaterThanOrEqual(sentAtMs + 5000);
});

test('a deadline that is no number is rejected, and logged', async () => {
  await using server = await startWeb();
  const answer = await post(server, 'GetEcho', { key: 'A' }, { headers: { 'connect-timeout-ms': '1s' } });
  expect([answer.status, await answer.json()]).toMatchObject([400, { code: 'invalid_argument' }]);
  expect(server.logLines.at(-1)).toMatchObject({ protocol: 'http', error: 'answered HTTP 400' });
});

test('a caller without a token is rejected before its body is read', async () => {
  await using server = await startWeb();
  const { port } = new URL(server.webUrl);
  const sending = request({
    port,
    method: 'POST',
    path: methodPath(EchoService.method.getEcho),
    headers: { 'content-type': 'application/json', 'content-length': 1000 },
  });
  sending.flushHeaders();
  const [answer] = (await once(sending, 'response')) as [IncomingMessage];
  expect(answer.statusCode).toBe(401);
  sending.destroy();
});

test('a compressed request is decompressed, up to the limit of a message', async () => {
  await using server = await startWeb();
  const headers = { 'content-encoding': 'gzip' };
  const small = await post(server, 'GetEcho', gzipSync('{"key":"A"}'), { headers });
  expect(await small.json()).toEqual({ echo: { key: 'A' } });
  const large = await post(server, 'GetEcho', gzipSync(`{"key":"${'A'.repeat(2 ** 21)}"}`), { headers });
  expect(await large.json()).toMatchObject({ code: 'resource_exhausted' });
  const unknown = await post(server, 'GetEcho', 'x', { headers: { 'content-encoding': 'br' } });
  expect(await unknown.json()).toMatchObject({
    code: 'unimplemented',
    message: 'unknown compression "br": supported encodings are gzip,deflate',
  });
});

test.each([
  ['announced', `{"key":"${'A'.repeat(2 ** 21)}"}`],
  ['streamed', new ReadableStream({ pull: (to) => to.enqueue(new Uint8Array(2 ** 16)) })],
])('a body over the limit is rejected: %s', async (_name, body) => {
  await using server = await startWeb();
  const answer = await post(server, 'GetEcho', '', { body, duplex: 'half' } as RequestInit);
  expect(await answer.json()).toEqual({
    code: 'resource_exhausted',
    message: 'a request message takes over 1048576 bytes',
  });
});

test.each([
  ['that is not JSON', '{', 'the request is not a valid testing.v1.GetEchoRequest'],
  [
    'of another type',
    `{"key":{"a":"${'x'.repeat(1000)}"}}`,
    'the request is not a valid testing.v1.GetEchoRequest',
  ],
  [
    'with too many objects',
    `{"a":[${'{},'.repeat(20_000)}{}]}`,
    'the request has over 10001 objects and lists',
  ],
  ['that nests too deep', '['.repeat(20_000), 'the request has over 10001 objects and lists'],
])('a request %s is rejected with a short error', async (_name, body, text) => {
  await using server = await startWeb();
  const { code, message } = (await (await post(server, 'GetEcho', body)).json()) as Record<string, string>;
  expect(code).toBe('invalid_argument');
  expect(message).toContain(text);
  expect(message?.length).toBeLessThan(400);
});

test('a list that is far over the limit of the contract is rejected before validation', async () => {
  await using server = await startWeb();
  const items = Array.from({ length: 2001 }, () => ({ key: 'A', count: 1 }));
  const answer = await post(server, 'PutEchoes', { requestId: crypto.randomUUID(), items });
  expect(await answer.json()).toMatchObject({
    code: 'invalid_argument',
    message: 'items: must contain no more than 1000 item(s)',
  });
});

test('a header list over 16 KiB is rejected with a status, and one over 32 KiB by HTTP', async () => {
  await using server = await startWeb();
  const long = await post(server, 'GetEcho', { key: 'A' }, { headers: { 'x-long': 'x'.repeat(17_000) } });
  expect(await long.json()).toMatchObject({ code: 'resource_exhausted', message: /^metadata takes/ });
  const tooLong = await post(server, 'GetEcho', { key: 'A' }, { headers: { 'x-long': 'x'.repeat(40_000) } });
  expect(tooLong.status).toBe(431);
});

test('both ports run one chain: what it counts, it counts for both', async () => {
  const protocols: string[] = [];
  let [created, wrapped] = [0, 0];
  await using server = await startWeb(undefined, {
    web: {},
    modifyChain: (chain) => {
      created++;
      const counting: Interceptor = (next) => {
        wrapped++;
        return (call) => {
          protocols.push(call.method.protocol);
          return next(call);
        };
      };
      return [...chain, counting];
    },
  });
  await server.client.getEcho({ key: 'A' });
  await post(server, 'GetEcho', { key: 'A' });
  expect([created, wrapped, protocols]).toEqual([1, EchoService.methods.length, ['grpc', 'connect']]);
});
