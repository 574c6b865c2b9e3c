import { once } from 'node:events';
import { request as httpRequest } from 'node:http';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { beforeAll, expect, test } from 'vitest';
import { type ConsoleServer, startConsoleServer } from './console-server.ts';
import { createEventStream, type EventStream } from './event-stream.ts';
import { HttpError } from './http-error.ts';

const received: unknown[] = [];
let number = 1;
let server: ConsoleServer;
let events: EventStream;
beforeAll(async () => {
  events = createEventStream(() => ({ number }));
  server = await startConsoleServer({
    host: '127.0.0.1',
    port: 0,
    key: 'key',
    onLive: events.add,
    pageFile: async (path) => (path === '/' ? { contentType: 'text/html', body: '<p>' } : undefined),
    routes: {
      'GET /api/secret': () => ({ token: 'secret' }),
      'GET /api/things/': ({ rest, query }) => ({ rest, size: query.get('size') }),
      'GET /api/absent': () => {
        throw new HttpError(404, 'it is absent');
      },
      'POST /api/change': ({ body }) => void received.push(body),
    },
  });
  return async () => {
    events[Symbol.dispose]();
    await server[Symbol.asyncDispose]();
  };
});

interface Sent {
  readonly method?: string;
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly key?: string;
}

/** Sends a request with any header, which `fetch` does not. */
async function send({ method = 'GET', path = '/api/secret', headers, body, key = 'key' }: Sent) {
  const all = { authorization: `Bearer ${key}`, ...headers };
  const request = httpRequest({ host: '127.0.0.1', port: server.port, method, path, headers: all });
  request.end(body);
  const [response] = await once(request, 'response');
  return { status: response.statusCode, headers: response.headers, body: await text(response) };
}

const json = { 'content-type': 'application/json' };
const change = { method: 'POST', path: '/api/change', headers: json, body: '{"kill":true}' };

test('the page and programs of this machine are answered', async () => {
  const origin = `http://127.0.0.1:${server.port}`;
  expect(await send({})).toMatchObject({ status: 200, body: '{"token":"secret"}' });
  expect(await send({ headers: { 'sec-fetch-site': 'same-origin' } })).toMatchObject({ status: 200 });
  expect(await send({ path: '/' })).toMatchObject({ status: 200, body: '<p>' });
  expect(await send({ path: '/api/things/a/b?size=3' })).toMatchObject({ body: '{"rest":"a/b","size":"3"}' });
  received.length = 0;
  expect(await send(change)).toMatchObject({ status: 204 });
  expect(await send({ ...change, headers: { ...json, origin } })).toMatchObject({ status: 204 });
  expect(received).toEqual([{ kill: true }, { kill: true }]);
});

test.for([
  ['a foreign name that resolves to loopback', { headers: { host: 'evil.example:80' } }, 421],
  ['another port of this machine', { headers: { host: '127.0.0.1:1' } }, 421],
  ['the page of another origin', { ...change, headers: { ...json, origin: 'https://evil.example' } }, 403],
  ['the page of another port', { ...change, headers: { ...json, origin: 'http://127.0.0.1:3000' } }, 403],
  ['a page without an origin of its own', { ...change, headers: { ...json, origin: 'null' } }, 403],
  ['a script tag of another page', { headers: { 'sec-fetch-site': 'cross-site' } }, 403],
  ['a script of another port', { headers: { 'sec-fetch-site': 'same-site' } }, 403],
  ['a target with dots', { path: '/x/../api/secret', headers: { 'sec-fetch-site': 'cross-site' } }, 403],
  ['a target with a host', { path: '//x/api/secret', headers: { 'sec-fetch-site': 'cross-site' } }, 400],
  ['a target with a scheme', { path: 'http://x/api/secret' }, 400],
  ['another user of this machine', { key: 'guess' }, 401],
  ['a change of another user', { ...change, key: '' }, 401],
  ['a form', { ...change, headers: { 'content-type': 'text/plain' } }, 415],
  ['a body without a type', { ...change, headers: {} }, 415],
  ['a preflight', { ...change, method: 'OPTIONS' }, 405],
  ['a change of the page', { ...change, path: '/' }, 405],
  ['another method', { ...change, method: 'DELETE' }, 405],
] satisfies [string, Sent, number][])('%s is rejected', async ([, sent, status]) => {
  received.length = 0;
  const answer = await send(sent);
  expect(answer.status).toBe(status);
  expect(answer.body).not.toContain('secret');
  expect(answer.headers).not.toHaveProperty('access-control-allow-origin');
  expect(received).toEqual([]);
});

test.for([
  ['an unknown path', { path: '/api/nothing' }, 404],
  ['an unknown file of the page', { path: '/nothing.js' }, 404],
  ['a change by GET', { path: '/api/change' }, 404],
  ['an error of a route', { path: '/api/absent' }, 404],
  ['a body that is not JSON', { ...change, body: '{' }, 400],
  ['a body over 64 KiB', { ...change, body: `"${'x'.repeat(64 * 1024)}"` }, 413],
] satisfies [string, Sent, number][])('%s is answered with a problem', async ([, sent, status]) => {
  const answer = await send(sent);
  expect(answer.status).toBe(status);
  expect(JSON.parse(answer.body)).toEqual({ message: expect.stringMatching(/./) });
});

test('no other page can frame the page, and its scripts are its own files', async () => {
  const { headers } = await send({ path: '/' });
  expect(headers).toMatchObject({
    'content-security-policy': expect.stringMatching(/default-src 'self'; .*frame-ancestors 'none'/),
    'cross-origin-resource-policy': 'same-origin',
    'x-content-type-options': 'nosniff',
  });
  expect(headers['content-security-policy']).not.toContain('unsafe');
});

test('a page gets the state at once and after each change, and at most 20 pages do', async () => {
  const aborting = new AbortController();
  const open = () =>
    fetch(`http://127.0.0.1:${server.port}/api/live`, {
      headers: { authorization: 'Bearer key' },
      signal: aborting.signal,
    });
  const first = await open();
  const reader = first.body?.pipeThrough(new TextDecoderStream()).getReader();
  const next = async () => (await reader?.read())?.value;
  expect(await next()).toBe('retry: 1000\n\ndata: {"number":1}\n\n');
  number = 2;
  events.changed();
  expect(await next()).toBe('data: {"number":2}\n\n');
  for (let page = 2; page <= 20; page++) expect((await open()).status).toBe(200);
  expect((await open()).status).toBe(503);
  aborting.abort();
  await expect.poll(() => events.size).toBe(0);
});

test('at most 200 connections are open', async () => {
  const sockets = Array.from({ length: 201 }, () => connect(server.port, '127.0.0.1'));
  try {
    // The server closes those beyond its limit as soon as they are open.
    await Promise.any(sockets.map((socket) => once(socket, 'close')));
  } finally {
    for (const socket of sockets) socket.destroy();
  }
});
