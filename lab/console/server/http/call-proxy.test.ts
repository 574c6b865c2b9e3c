import { once } from 'node:events';
import {
  request as httpRequest,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type OutgoingHttpHeaders,
} from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { createTestCertificates } from '@acme/rpc/testing';
import { beforeAll, expect, test } from 'vitest';
import { createCallProxy } from './call-proxy.ts';
import { type ConsoleServer, startConsoleServer } from './console-server.ts';

/** The last call of the service behind the proxy. */
let called: { method?: string; url?: string; headers: IncomingHttpHeaders; body: string };
/** The paths of all calls. */
const paths: string[] = [];
let isClosed: Promise<unknown>;
let server: ConsoleServer;

/** A console that forwards to a web port whose certificate is of an own authority. */
beforeAll(async () => {
  await using started = new AsyncDisposableStack();
  const certificates = started.use(await createTestCertificates());
  const { certificate, privateKey } = await certificates.issue('orders');
  const service = createServer({ cert: certificate, key: privateKey }, async (request, response) => {
    const { method = '', url = '', headers } = request;
    paths.push(url);
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
      key: 'key',
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

/** Sends a request as it is, which `fetch` does not. */
async function send(method: string, path: string, headers: OutgoingHttpHeaders = {}, body = '') {
  const request = httpRequest({
    host: '127.0.0.1',
    port: server.port,
    method,
    path: `/call/${path}`,
    headers,
  });
  request.end(body);
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  await text(response);
  return response;
}

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

test('a path that looks like another host is not found', async () => {
  paths.length = 0;
  for (const path of ['/', '\\', '/\\', '\\/'])
    expect((await send('GET', `orders/${path}evil.example/x`)).statusCode).toBe(404);
  expect((await send('GET', 'constructor/x')).statusCode).toBe(404);
  expect(paths).toEqual([]);
});

test('the body of a GET is no request to the service', async () => {
  paths.length = 0;
  const smuggled = 'POST /smuggled HTTP/1.1\r\nhost: x\r\ncontent-length: 0\r\n\r\n';
  await send('GET', 'orders/chunked', { 'transfer-encoding': 'chunked' }, smuggled);
  await send('GET', 'orders/sized', { 'content-length': `${smuggled.length}` }, smuggled);
  await send('GET', 'orders/after');
  expect(paths).toEqual(['/chunked', '/sized', '/after']);
  expect(called.headers).not.toHaveProperty('transfer-encoding');
});

test('a body without a length is forwarded', async () => {
  await send('POST', 'orders/chunked', { 'transfer-encoding': 'chunked' }, 'request');
  expect(called).toMatchObject({ body: 'request', headers: { 'transfer-encoding': 'chunked' } });
});

test('only the headers of a call reach the service', async () => {
  const ofCall = { 'connect-timeout-ms': '10', 'grpc-timeout': '1S', accept: 'a', traceparent: 't' };
  const others = {
    cookie: 'c',
    'x-hop': '1',
    te: 'trailers',
    forwarded: 'for=1',
    'proxy-authorization': 'p',
  };
  await send('GET', 'orders/headers', { ...ofCall, ...others, connection: 'x-hop' });
  expect(called.headers).toMatchObject(ofCall);
  for (const header of Object.keys(others)) expect(called.headers).not.toHaveProperty(header);
});

test('the page of another origin cannot call', async () => {
  const foreign = { method: 'POST', headers: { origin: 'https://evil.example' } };
  expect((await call('orders/x', foreign)).status).toBe(403);
});
