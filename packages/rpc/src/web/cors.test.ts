import { expect, test } from 'vitest';
import { EchoService } from '../testing/gen/testing/v1/echo_service_pb.ts';
import { startTestServer } from '../testing/start-test-server.ts';

const app = 'https://app.example.com';

const startWeb = (origins: readonly string[]) =>
  startTestServer(EchoService, { getEcho: async ({ key }) => ({ echo: { key } }) }, { web: { origins } });

function send(webUrl: string, method: string, headers: Record<string, string>) {
  return fetch(`${webUrl}/testing.v1.EchoService/GetEcho`, {
    method,
    headers: { 'content-type': 'application/json', authorization: 'Bearer t', ...headers },
    ...(method === 'POST' && { body: '{"key":"A"}' }),
  });
}

test('a preflight of a permitted origin gets the methods and headers of Connect, and of this kit', async () => {
  await using server = await startWeb([app, 'https://admin.example.com']);
  const { status, headers } = await send(server.webUrl, 'OPTIONS', {
    origin: app,
    'access-control-request-method': 'POST',
  });
  expect([status, headers.get('access-control-allow-origin'), headers.get('vary')]).toEqual([
    204,
    app,
    'Origin',
  ]);
  expect(headers.get('access-control-allow-methods')).toBe('POST, GET');
  const allowed = headers.get('access-control-allow-headers')?.toLowerCase().split(', ');
  expect(allowed).toEqual(expect.arrayContaining(['content-type', 'connect-timeout-ms', 'authorization']));
  expect(server.logLines).toEqual([]);
});

test('the response to a permitted origin is readable, and the one to another origin is not', async () => {
  await using server = await startWeb([app]);
  const permitted = await send(server.webUrl, 'POST', { origin: app });
  expect(permitted.headers.get('access-control-allow-origin')).toBe(app);
  expect(permitted.headers.get('access-control-expose-headers')).toContain('X-Request-Id');
  for (const origin of ['https://evil.example', 'https://app.example.com.evil.example', 'null']) {
    const preflight = await send(server.webUrl, 'OPTIONS', { origin });
    expect([preflight.status, preflight.headers.get('access-control-allow-origin')]).toEqual([403, null]);
    const answer = await send(server.webUrl, 'POST', { origin });
    expect(answer.headers.get('access-control-allow-origin')).toBe(null);
  }
});

test('in development a star permits every origin', async () => {
  await using server = await startWeb(['*']);
  const { headers } = await send(server.webUrl, 'POST', { origin: app });
  expect([headers.get('access-control-allow-origin'), headers.get('vary')]).toEqual(['*', null]);
});
