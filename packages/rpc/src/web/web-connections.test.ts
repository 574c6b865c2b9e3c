import { once } from 'node:events';
import { connect as connectHttp2, constants } from 'node:http2';
import { connect, type Socket } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { EchoService } from '../testing/gen/testing/v1/echo_service_pb.ts';
import { startTestServer } from '../testing/start-test-server.ts';
import { webClient } from '../testing/web/web-clients.ts';
import type { WebLimits } from './web-limits.ts';

const path = '/testing.v1.EchoService/GetEcho';

async function startWeb(limits: Partial<WebLimits> = {}) {
  const waiting = Promise.withResolvers<void>();
  const released = Promise.withResolvers<void>();
  const server = await startTestServer(
    EchoService,
    {
      getEcho: async ({ key }) => {
        if (key === 'wait') {
          waiting.resolve();
          await released.promise;
        }
        return { echo: { key } };
      },
    },
    { web: { limits } },
  );
  return { ...server, waiting: waiting.promise, release: released.resolve };
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
  await once(socket, 'close');
  return text;
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

test('connections over the limit are closed, but an address with less than its share has room', async () => {
  await using server = await startWeb({ maxConnections: 20 });
  const idle = Array.from({ length: 20 }, () => send(server, 'P'));
  await Promise.all(idle.map((socket) => once(socket, 'connect')));
  expect(await receivedBy(send(server, 'P'))).toBe('');
  const port = Number(new URL(server.webUrl).port);
  const other = connect({ port, host: '127.0.0.1', localAddress: '127.0.0.2' });
  onTestFinished(() => void other.destroy());
  other.write(`${headers(11)}{"key":"A"}`);
  const [answer] = await once(other, 'data');
  expect(String(answer)).toMatch(/^HTTP\/1.1 200 /);
});

test('an HTTP/2 connection that is idle, or too old, is closed', async () => {
  for (const limits of [{ maxIdleMs: 50 }, { maxAgeMs: 50 }]) {
    await using server = await startWeb(limits);
    const session = connectHttp2(server.webUrl);
    const [code] = await once(session, 'goaway');
    expect(code).toBe(constants.NGHTTP2_NO_ERROR);
    session.destroy();
  }
});

test('an HTTP/2 connection without answers to pings is cut off', async () => {
  await using server = await startWeb({ pingIntervalMs: 50, pingTimeoutMs: 50 });
  const socket = send(server, 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\u0004\0\0\0\0\0');
  await receivedBy(socket);
});

test('a drain finishes the call in flight, closes idle connections, and accepts no new one', async () => {
  await using server = await startWeb();
  const idle = receivedBy(send(server, `${headers(11)}{"key":"A"}`));
  const held = webClient(server.webUrl).getEcho({ key: 'wait' }, { timeoutMs: 5000 });
  const session = connectHttp2(server.webUrl);
  await once(session, 'remoteSettings');
  await server.waiting;
  await expect.poll(() => server.logLines.length).toBe(1);
  const drained = server.running.drain({ pauseMs: 0, timeoutMs: 60_000 });
  expect(await idle).toMatch(/^HTTP\/1.1 200 /);
  await once(session, 'close');
  await expect(fetch(server.webUrl)).rejects.toThrow();
  server.release();
  expect(await held).toMatchObject({ echo: { key: 'wait' } });
  await drained;
});

test('a call that hangs is cut off at the drain timeout', async () => {
  await using server = await startWeb();
  const held = receivedBy(send(server, `${headers(14)}{"key":"wait"}`));
  await server.waiting;
  await server.running.drain({ pauseMs: 0, timeoutMs: 50 });
  await held;
});
