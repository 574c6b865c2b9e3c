import { timestampFromDate, timestampMs } from '@bufbuild/protobuf/wkt';
import { expect, test } from 'vitest';
import { createClient } from '../client/create-client.ts';
import { Code } from '../errors/rpc-error.ts';
import { EchoService } from './gen/testing/v1/echo_service_pb.ts';
import { rejectionOf } from './rejection-of.ts';
import { startTestServer } from './start-test-server.ts';

test('a test sets the principal and the request ids, and finds both in the context and the log', async () => {
  const ids = ['first', 'second'];
  await using server = await startTestServer(
    EchoService,
    {
      getEcho: async (_request, { principal, requestId }) => ({
        echo: { key: requestId, text: principal.subject },
      }),
    },
    {
      principal: { subject: 'anna', scopes: new Set(['echo:read']) },
      newRequestId: () => ids.shift() ?? '',
    },
  );
  expect(await server.client.getEcho({ key: 'A' })).toMatchObject({
    echo: { key: 'first', text: 'anna' },
  });
  expect(await server.client.getEcho({ key: 'A' })).toMatchObject({ echo: { key: 'second' } });
  const taken = await server.client.getEcho({ key: 'A' }, { metadata: { 'x-request-id': 'own' } });
  expect(taken).toMatchObject({ echo: { key: 'own' } });
  const lines = server.logLines.filter(({ msg }) => msg === 'call');
  expect(lines.map(({ request_id, subject }) => [request_id, subject])).toEqual([
    ['first', 'anna'],
    ['second', 'anna'],
    ['own', 'anna'],
  ]);
});

test('a test server serves only the given methods, and ends with its block', async () => {
  const server = await startTestServer(
    EchoService,
    {},
    { principal: { subject: 'anna', scopes: new Set() } },
  );
  expect((await rejectionOf(server.client.getEcho({ key: 'A' }))).code).toBe(Code.PERMISSION_DENIED);
  await server[Symbol.asyncDispose]();
  using late = createClient(EchoService, { target: server.target });
  expect((await rejectionOf(late.getEcho({ key: 'A' }))).code).toBe(Code.UNAVAILABLE);
});

test('a service gets a clock that the test advances, and sequential ids', async () => {
  await using server = await startTestServer(EchoService, ({ now, newId }) => ({
    getEcho: async () => ({ echo: { key: newId(), updateTime: timestampFromDate(now()) } }),
  }));
  const first = await server.client.getEcho({ key: 'A' });
  server.fakes.advance(90_000);
  const second = await server.client.getEcho({ key: 'A' });
  expect([first.echo?.key, second.echo?.key]).toEqual([
    '00000000-0000-7000-8000-000000000001',
    '00000000-0000-7000-8000-000000000002',
  ]);
  const [one, other] = [first, second].map(({ echo }) => echo?.updateTime && timestampMs(echo.updateTime));
  expect(Number(other) - Number(one)).toBe(90_000);
});
