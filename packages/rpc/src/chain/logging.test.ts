import { expect, test } from 'vitest';
import { createClient } from '../client/create-client.ts';
import { Code, RpcError } from '../errors/rpc-error.ts';
import { EchoService } from '../testing/gen/testing/v1/echo_service_pb.ts';
import { connectRaw, grpcFrame } from '../testing/network/raw-http2.ts';
import { rejectionOf } from '../testing/rejection-of.ts';
import { startTestServer } from '../testing/start-test-server.ts';

test('a call is one line with the caller, the method and the outcome', async () => {
  await using server = await startTestServer(EchoService, { getEcho: async () => ({}) });
  await server.client.getEcho({ key: 'A' });
  expect(server.logLines).toEqual([
    {
      level: 'info',
      time: expect.stringMatching(/^\d{4}-.+Z$/),
      service: 'test',
      pid: process.pid,
      request_id: expect.any(String),
      method: 'testing.v1.EchoService/GetEcho',
      code: 'OK',
      duration_ms: expect.any(Number),
      deadline_left_ms: expect.any(Number),
      peer: expect.stringMatching(/^127\.0\.0\.1:\d+$/),
      subject: 'tester',
      msg: 'call',
    },
  ]);
});

test.each<[string, unknown, string, string]>([
  ['an error of the caller', new RpcError(Code.NOT_FOUND, 'no A'), 'info', 'NOT_FOUND'],
  ['a fault', new RpcError(Code.DATA_LOSS, 'torn page'), 'error', 'DATA_LOSS'],
  ['an error of the domain, by the map', new RangeError('no A'), 'info', 'OUT_OF_RANGE'],
])('%s is logged with the code that was sent', async (_name, error, level, code) => {
  await using server = await startTestServer(
    EchoService,
    {
      getEcho: async () => {
        throw error;
      },
    },
    {
      errorMap: (thrown) =>
        thrown instanceof RangeError ? new RpcError(Code.OUT_OF_RANGE, thrown.message) : undefined,
    },
  );
  const { code: sent } = await rejectionOf(server.client.getEcho({ key: 'A' }));
  expect(Code[sent]).toBe(code);
  expect(server.logLines).toEqual([expect.objectContaining({ level, code, msg: 'call' })]);
});

test('the cause of an internal error is logged with the request id that the caller gets', async () => {
  await using server = await startTestServer(EchoService, {
    getEcho: async () => {
      throw new Error('the disk is gone', { cause: { big: 1n } });
    },
  });
  const error = await rejectionOf(server.client.getEcho({ key: 'A' }));
  const [{ requestId }] = error.details as unknown as [{ requestId: string }];
  expect(server.logLines).toMatchObject([
    { level: 'error', code: 'INTERNAL', error: 'internal error', request_id: requestId },
    {
      level: 'error',
      err: { message: 'the disk is gone', stack: expect.any(String) },
      request_id: requestId,
    },
  ]);
});

test('no log line contains the token, the metadata or the payload, whatever the outcome', async () => {
  await using server = await startTestServer(EchoService, {
    getEcho: async ({ key }) => {
      if (key.endsWith('missing')) throw new RpcError(Code.NOT_FOUND, 'no such key');
      if (key.endsWith('broken')) throw new Error('broken');
      return { echo: { key, text: 'canary-response' } };
    },
    async importEchoes(requests) {
      await Array.fromAsync(requests);
      return {};
    },
  });
  using client = createClient(EchoService, { target: server.target, token: () => 'canary-token' });
  const options = { metadata: { 'x-canary': 'canary-metadata', cookie: 'canary-cookie' } };
  await client.getEcho({ key: 'canary-key' }, options);
  for (const key of ['canary-missing', 'canary-broken', 'canary\n', 'canary'.repeat(20)])
    await rejectionOf(client.getEcho({ key }, options));
  await rejectionOf(client.importEchoes([{ importId: 'canary-id', echo: { key: 'canary\u0000' } }], options));
  await using connection = await connectRaw(server.target);
  const headers = { authorization: 'Bearer canary-token', 'x-canary': 'canary-metadata' };
  await connection.post('/testing.v1.EchoService/GetEcho', grpcFrame(Buffer.from('\x0a\xffcanary')), headers);
  const lines = server.logLines.filter(({ msg }) => msg === 'call').map(({ code }) => code);
  expect(lines).toEqual([
    'OK',
    'NOT_FOUND',
    'INTERNAL',
    'INVALID_ARGUMENT',
    'INVALID_ARGUMENT',
    'INVALID_ARGUMENT',
    'INTERNAL',
  ]);
  expect(JSON.stringify(server.logLines)).not.toContain('canary');
});
