import { once } from 'node:events';
import type { IncomingHttpHeaders } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { createTestCertificates } from '@acme/rpc/testing';
import { beforeAll, expect, test } from 'vitest';
import { createCallProxy } from './call-proxy.ts';
import { type ConsoleServer, startConsoleServer } from './console-server.ts';

/** The last call of the service behind the proxy. */
let called: { method?: string; url?: string; headers: IncomingHttpHeaders; body: string };
let isClosed: Promise<unknown>;
let server: ConsoleServer;

/** A console that forwards to a web port whose certificate is of an own authority. */
beforeAll(async () => {
  await using started = new AsyncDisposableStack();
  const certificates = started.use(await createTestCertificates());
  const { certificate, privateKey } = await certificates.issue('orders');
  const service = createServer({ cert: certificate, key: privateKey }, async (request, response) => {
    const { method = '', url = '', headers } = request;
    called = { method, url, headers, body: '' };
    isClosed = once(response, 'close');
    for await (const chunk of request) called.body += chunk;
    response.writeHead(200, { 'content-type': 'application/json', 'x-request-id': 'one' });
    response.write('first');
    // A stream goes on until its caller ends it.
    if (url !== '/stream') response.end();
  });
  await once(service.listen(0, '127.0.0.1'), 'listening');
  started.defer(() => service[Symbol.asyncDispose]());
  started.defer(() => service.closeAllConnections());
  const url = `https://127.0.0.1:${(service.address() as AddressInfo).port}`;
  const { certificate: authority } = certificates.authority;
  const proxy = started.use(createCallProxy({ orders: url, down: 'https://127.0.0.1:1' }, authority));
  server = started.use(
    await startConsoleServer({
      host: '127.0.0.1',
      port: 0,
      routes: {},
      onLive: () => {},
      onCall: proxy.forward,
      pageFile: async () => undefined,
    }),
  );
  const kept = started.move();
  return () => kept.disposeAsync();
});

const call = (path: string, init: RequestInit = {}) =>
  fetch(`http://127.0.0.1:${server.port}/call/${path}`, init);

test('a call reaches the service with its token, and without the origin of the page', async () => {
  const answer = await call('orders/orders.v1.OrderService/GetOrder?a=b', {
    method: 'POST',
    headers: {
      authorization: 'Bearer token',
      'content-type': 'application/proto',
      origin: `http://127.0.0.1:${server.port}`,
    },
    body: 'request',
  });
  expect(called).toMatchObject({
    method: 'POST',
    url: '/orders.v1.OrderService/GetOrder?a=b',
    headers: { authorization: 'Bearer token', 'content-type': 'application/proto' },
    body: 'request',
  });
  expect(called.headers).not.toHaveProperty('origin');
  expect(await answer.text()).toBe('first');
  expect(answer.headers.get('x-request-id')).toBe('one');
});

test('an answer is streamed, and a page that leaves ends the call', async () => {
  const leaving = new AbortController();
  const answer = await call('orders/stream', { signal: leaving.signal });
  const { value } = (await answer.body?.getReader().read()) ?? {};
  expect(Buffer.from(value ?? []).toString()).toBe('first');
  leaving.abort();
  await isClosed;
});

test('a service that is down is UNAVAILABLE, and an unknown one is not found', async () => {
  expect((await call('down/x')).status).toBe(503);
  expect((await call('other/x')).status).toBe(404);
  expect((await call('orders')).status).toBe(404);
});

test('a path that looks like another host stays a path of the service', async () => {
  expect((await call('orders//evil.example/x')).status).toBe(200);
  expect(called).toMatchObject({ url: '//evil.example/x', headers: { host: expect.stringMatching(/^127/) } });
});

test('the page of another origin cannot call', async () => {
  const foreign = { method: 'POST', headers: { origin: 'https://evil.example' } };
  expect((await call('orders/x', foreign)).status).toBe(403);
});
