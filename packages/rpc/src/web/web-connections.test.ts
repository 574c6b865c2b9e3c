import { once } from 'node:events';
import {
  type ClientHttp2Session,
  connect as connectHttp2,
  constants,
  type OutgoingHttpHeaders,
} from 'node:http2';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { EchoService } from '../testing/gen/testing/v1/echo_service_pb.ts';
import { startTestServer } from '../testing/start-test-server.ts';
import { webClient } from '../testing/web/web-clients.ts';
import type { WebLimits } from './web-limits.ts';

const path = '/testing.v1.EchoService/GetEcho';

async function startWeb(limits: Partial<WebLimits> = {}) {
  let held = 0;
  const released = Promise.withResolvers<void>();
  const server = await startTestServer(
    EchoService,
    {
      getEcho: async ({ key }) => {
        if (key === 'wait') {
          held++;
          await released.promise;
        }
        return { echo: { key } };
      },
    },
    { web: { limits } },
  );
  return { ...server, held: () => held, release: released.resolve };
}

type Server = Awaited<ReturnType<typeof startWeb>>;

/** Opens a connection that sends a text. */
function send(server: Server, text: string): Socket {
  const socket = connect(Number(new URL(server.webUrl).port), '127.0.0.1');
  onTestFinished(() => void socket.destroy());
  socket.on('error', () => {});
  socket.write(text);
  return socket;
}

/** Returns what the server sends until it closes the connection. */
async function receivedBy(socket: Socket): Promise<string> {
  let text = '';
  socket.on('data', (chunk) => (text += chunk));
  // The server may reset a connection whose bytes it has not read, which is an error for `once`.
  await new Promise((resolve) => socket.once('close', resolve));
  return text;
}

/** Calls GetEcho over HTTP/2. Returns the HTTP status; undefined for a call without an answer. */
async function callOver(session: ClientHttp2Session, key: string): Promise<number | undefined> {
  const stream = session.on('error', () => {}).request({ ...getEcho, authorization: 'Bearer t' });
  let status: number | undefined;
  stream.on('response', (answer) => (status = answer[':status']));
  stream.on('error', () => {}).resume();
  stream.end(JSON.stringify({ key }));
  await once(stream, 'close');
  return status;
}

const headers = (contentLength: number) =>
  `POST ${path} HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nAuthorization: Bearer t\r\nContent-Length: ${contentLength}\r\n\r\n`;

test('a connection that sends nothing, or part of the HTTP/2 preface, is closed', async () => {
  await using server = await startWeb({ handshakeTimeoutMs: 100 });
  expect(await Promise.all([receivedBy(send(server, '')), receivedBy(send(server, 'PRI * HT'))])).toEqual([
    '',
    '',
  ]);
});

test('slow headers end with 408', async () => {
  await using server = await startWeb({ headersTimeoutMs: 200 });
  expect(await receivedBy(send(server, 'POST / HTTP/1.1\r\nHost:'))).toMatch(/^HTTP\/1.1 408 /);
});

test('a slow body ends at the deadline of the call, and its connection some time later', async () => {
  await using server = await startWeb();
  const answer = await receivedBy(send(server, `${headers(1000)}{"key":`));
  expect(answer).toMatch(/^HTTP\/1.1 504 /);
  expect(answer).toContain('deadline_exceeded');
});

test('an HTTP/1.1 connection without requests is closed', async () => {
  await using server = await startWeb({ keepAliveTimeoutMs: 50 });
  expect(await receivedBy(send(server, `${headers(11)}{"key":"A"}`))).toMatch(/^HTTP\/1.1 200 /);
});

test('a connection that sends requests before it has the answers is closed', async () => {
  await using server = await startWeb();
  const request = `${headers(14)}{"key":"wait"}`;
  expect(await receivedBy(send(server, request + request))).toBe('');
});

/** The beginning of an HTTP/2 connection: the preface and empty settings. */
const http2Start = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\u0004\0\0\0\0\0';

test.each([
  ['silent', ''],
  ['with half a request line', 'P'],
  ['of HTTP/2', http2Start],
])(
  'connections over the limit are closed, but an address with less than its share has room: %s',
  async (_name, text) => {
    await using server = await startWeb({ maxConnections: 20, handshakeTimeoutMs: 60_000 });
    const open = Array.from({ length: 20 }, () => send(server, text));
    await Promise.all(open.map((socket) => once(socket, 'connect')));
    expect(await receivedBy(send(server, text))).toBe('');
    const port = Number(new URL(server.webUrl).port);
    const other = connect({ port, host: '127.0.0.1', localAddress: '127.0.0.2' });
    onTestFinished(() => void other.destroy());
    other.write(`${headers(11)}{"key":"A"}`);
    const [answer] = await once(other, 'data');
    expect(String(answer)).toMatch(/^HTTP\/1.1 200 /);
  },
);

test('an HTTP/2 connection that is idle, or too old, is closed', async () => {
  for (const limits of [{ maxIdleMs: 50 }, { maxAgeMs: 50 }]) {
    await using server = await startWeb(limits);
    const session = connectHttp2(server.webUrl);
    const [code] = await once(session, 'goaway');
    expect(code).toBe(constants.NGHTTP2_NO_ERROR);
    session.destroy();
  }
});

test('an HTTP/2 connection that is idle after a call is closed', async () => {
  await using server = await startWeb({ maxIdleMs: 50 });
  const session = connectHttp2(server.webUrl);
  onTestFinished(() => session.destroy());
  const goodbye = once(session, 'goaway');
  expect(await callOver(session, 'A')).toBe(200);
  expect((await goodbye)[0]).toBe(constants.NGHTTP2_NO_ERROR);
});

test('an HTTP/2 connection without answers to pings is cut off', async () => {
  await using server = await startWeb({ pingIntervalMs: 50, pingTimeoutMs: 50 });
  await receivedBy(send(server, http2Start));
});

test('a drain finishes the calls in flight, closes idle connections, and accepts no new one', async () => {
  await using server = await startWeb();
  const idle = receivedBy(send(server, `${headers(11)}{"key":"A"}`));
  const held = webClient(server.webUrl).getEcho({ key: 'wait' }, { timeoutMs: 5000 });
  const [idleSession, heldSession] = [connectHttp2(server.webUrl), connectHttp2(server.webUrl)];
  const heldOverHttp2 = callOver(heldSession, 'wait');
  await once(idleSession, 'remoteSettings');
  await expect.poll(server.held).toBe(2);
  await expect.poll(() => server.logLines.length).toBe(1);
  const drained = server.running.drain({ pauseMs: 0, timeoutMs: 60_000 });
  expect(await idle).toMatch(/^HTTP\/1.1 200 /);
  await once(idleSession, 'close');
  await expect(fetch(server.webUrl)).rejects.toThrow();
  server.release();
  expect(await held).toMatchObject({ echo: { key: 'wait' } });
  expect(await heldOverHttp2).toBe(200);
  await drained;
});

test('a call that hangs is cut off at the drain timeout', async () => {
  await using server = await startWeb();
  const held = receivedBy(send(server, `${headers(14)}{"key":"wait"}`));
  const session = connectHttp2(server.webUrl);
  const heldOverHttp2 = callOver(session, 'wait');
  await expect.poll(server.held).toBe(2);
  await server.running.drain({ pauseMs: 0, timeoutMs: 50 });
  await held;
  expect(await heldOverHttp2).toBe(undefined);
});

test.each([
  ['sends nothing', ''],
  ['has sent half a request line', 'POST /'],
  ['has sent a part of the HTTP/2 preface', 'PRI * HT'],
  ['keeps its HTTP/2 connection open', http2Start],
])('a drain does not wait for a caller that %s', async (_name, text) => {
  await using server = await startWeb({ handshakeTimeoutMs: 60_000, headersTimeoutMs: 60_000 });
  const port = Number(new URL(server.webUrl).port);
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  onTestFinished(() => void socket.destroy());
  socket.on('error', () => {}).resume();
  socket.write(text);
  // Answered on a later connection, so the server has accepted the first one.
  expect(await receivedBy(send(server, 'x\r\n\r\n'))).toMatch(/^HTTP\/1.1 400 /);
  await server.running.drain({ pauseMs: 0, timeoutMs: 60_000 });
});

test.each([
  ['request to an unknown method', headers(100).replace(path, '/none')],
  ['call that was rejected', headers(100).replace('Bearer t', 'Bearer')],
])('a drain does not wait for the body of a %s, whose connection is closed', async (_name, head) => {
  await using server = await startWeb();
  expect(await receivedBy(send(server, `${head}{`))).toMatch(/^HTTP\/1.1 4/);
  const timeoutMs = 60_000;
  const drained = server.running.drain({ pauseMs: 0, timeoutMs }).then(() => 'drained');
  expect(await Promise.race([drained, sleep(10_000, 'waits', { ref: false })])).toBe('drained');
});

test('a head with over 128 headers is rejected before its end', async () => {
  await using server = await startWeb({ headersTimeoutMs: 60_000 });
  const many = Array.from({ length: 200 }, (_, index) => `a${index}: 1\r\n`).join('');
  expect(await receivedBy(send(server, `POST ${path} HTTP/1.1\r\n${many}`))).toMatch(/^HTTP\/1.1 431 /);
});

const getEcho = { ':method': 'POST', ':path': path, 'content-type': 'application/json' };

test('an HTTP/2 request that is answered without a call is reset if its body stays open', async () => {
  const requests: Record<string, [OutgoingHttpHeaders, number]> = {
    'unknown method': [{ ...getEcho, ':path': '/none' }, 404],
    'unknown content type': [{ ...getEcho, 'content-type': 'text/plain' }, 415],
    'another verb': [{ ...getEcho, ':method': 'PUT' }, 405],
    preflight: [{ ...getEcho, ':method': 'OPTIONS' }, 403],
    'malformed deadline': [{ ...getEcho, 'connect-timeout-ms': 'x' }, 400],
    'unknown expectation': [{ ...getEcho, expect: 'x' }, 401],
    'to a proxy': [{ ':method': 'CONNECT', ':authority': 'a' }, 404],
  };
  await using server = await startWeb();
  const session = connectHttp2(server.webUrl);
  onTestFinished(() => session.destroy());
  const outcomes = Object.entries(requests).map(async ([name, [headers]]) => {
    const stream = session.request(headers, { endStream: false });
    const closed = once(stream.resume(), 'close');
    const [answer] = await once(stream, 'response');
    await closed;
    return [name, [answer[':status'], stream.rstCode]];
  });
  const expected = Object.entries(requests).map(([name, [, status]]) => [
    name,
    [status, constants.NGHTTP2_NO_ERROR],
  ]);
  expect(Object.fromEntries(await Promise.all(outcomes))).toEqual(Object.fromEntries(expected));
});

test('answers over HTTP/2 that their caller does not read count until they are read', async () => {
  const key = 'x'.repeat(30_000);
  await using server = await startTestServer(
    EchoService,
    { getEcho: async () => ({ echo: { key } }) },
    { web: {}, maxRequestBytes: 32_768, maxResponseBytes: 32_768, memoryBudgetBytes: 131_072 },
  );
  const session = connectHttp2(server.webUrl, { settings: { initialWindowSize: 0 } });
  onTestFinished(() => session.destroy());
  const codes: (number | undefined)[] = [];
  const streams = Array.from({ length: 5 }, () => {
    const stream = session.request({ ...getEcho, authorization: 'Bearer t' });
    stream.on('error', () => {}).on('close', () => codes.push(stream.rstCode));
    stream.end('{"key":"A"}');
    return stream;
  });
  await Promise.all(streams.map((stream) => once(stream, 'response')));
  // The call has a deadline of 5 s, and its answer may wait until then.
  await expect.poll(() => codes, { timeout: 4000 }).toEqual([constants.NGHTTP2_ENHANCE_YOUR_CALM]);
});
