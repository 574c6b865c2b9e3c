import { constants } from 'node:http2';
import { propagation } from '@opentelemetry/api';
import { expect, onTestFinished, test } from 'vitest';
import { Code } from '../../errors/rpc-error.ts';
import { callsOfEachKind } from '../../testing/calls-of-each-kind.ts';
import { EchoService } from '../../testing/gen/testing/v1/echo_service_pb.ts';
import { rejectionOf } from '../../testing/rejection-of.ts';
import { startRawServer } from '../../testing/replicas/start-raw-server.ts';
import { startTestServer } from '../../testing/start-test-server.ts';
import { createClient } from '../create-client.ts';
import { resumingWatch } from '../resuming-watch.ts';

const kiB = 1024;
const startCounting = () => startRawServer(() => ({ 'grpc-status': Code.UNIMPLEMENTED }));

const invalid: readonly (readonly [key: string, value: unknown])[] = [
  ['connection', 'keep-alive'],
  ['Connection', 'keep-alive'],
  ['keep-alive', 'timeout=5'],
  ['proxy-connection', 'keep-alive'],
  ['transfer-encoding', 'chunked'],
  ['upgrade', 'h2c'],
  ['http2-settings', 'AAMAAABkAAQAAP__'],
  ['te', 'gzip'],
  ['host', 'example.com'],
  ['content-length', '5'],
  ['expect', '100-continue'],
  ['trailer', 'x-checksum'],
  [':path', '/other'],
  [':authority', 'other'],
  ['content-type', 'application/json'],
  ['user-agent', 'curl/8'],
  ['grpc-timeout', '1S'],
  ['grpc-status', '0'],
  ['grpc-encoding', 'gzip'],
  ['x-balancing-stream', '1'],
  ['', 'no key'],
  ['x key', 'a space'],
  ['x\nkey', 'a line break'],
  ['schlüssel', 'no ASCII'],
  ['x-text', 'line\r\nx-other: 1'],
  ['x-text', 'Grüße'],
  ['x-text', 'a\u0000b'],
  ['x-text', '\ud83c'],
  ['x-text', 5],
  ['x-text', undefined],
  ['x-text', Buffer.from('bytes')],
  ['x-text', ['a', 5]],
  ['x-text', ['a', 'line\nbreak']],
  ['x-text', { a: 'b' }],
  ['x-text', null],
  ['authorization', ['Bearer a', 'Bearer b']],
  ['etag', ['first', 'second']],
  ['Referer', ['first', 'second']],
  ['x-text', ' text'],
  ['x-text', 'text '],
  ['x-many', Array(101).fill('a')],
  ['grpc-none', []],
  ['trace-bin', 'AAAA'],
  ['Trace-Bin', 'AAAA'],
  ['trace-bin', [Buffer.of(1), 'AAAA']],
];

test.each(callsOfEachKind)(
  'a %s call with metadata that HTTP/2 or gRPC forbids is INVALID_ARGUMENT, and nothing is sent',
  async (_kind, call) => {
    await using server = await startCounting();
    using client = createClient(EchoService, { target: server.target });
    for (const [key, value] of invalid) {
      const metadata = { [key]: value } as Record<string, string>;
      const error = await rejectionOf(call(client, { metadata }));
      expect(error.code).toBe(Code.INVALID_ARGUMENT);
      expect(error.message).toContain(JSON.stringify(key));
      if (typeof value === 'string' && value.length > 5) expect(error.message).not.toContain(value);
    }
    expect(server.sessions).toHaveLength(0);
  },
);

test('no key ends the connection or is tried again, with one value or with two', async () => {
  const names = Object.entries(constants).flatMap(([name, value]) =>
    name.startsWith('HTTP2_HEADER_') && typeof value === 'string' ? value : [],
  );
  await using server = await startCounting();
  using client = createClient(EchoService, { target: server.target });
  let sent = 0;
  for (const name of names)
    for (const values of [['1'], ['1', '2']]) {
      const error = await rejectionOf(client.getEcho({ key: 'A' }, { metadata: { [name]: values } }));
      if (error.code === Code.UNIMPLEMENTED) sent++;
      else expect(error.code).toBe(Code.INVALID_ARGUMENT);
    }
  expect(server.attempts).toHaveLength(sent);
  expect(server.sessions).toHaveLength(1);
});

test('100 values are sent, which a server accepts', async () => {
  await using server = await startTestServer(EchoService, { getEcho: async () => ({}) });
  const metadata = Object.fromEntries(Array.from({ length: 100 }, (_, index) => [`x${index}`, '']));
  await server.client.getEcho({ key: 'A' }, { metadata });
});

test('a resuming watch with such metadata fails at once', async () => {
  await using server = await startCounting();
  using client = createClient(EchoService, { target: server.target });
  const watch = resumingWatch(client.watchEchoes, {}, { metadata: { connection: 'keep-alive' } });
  expect(await rejectionOf(watch.next())).toMatchObject({ code: Code.INVALID_ARGUMENT });
  expect(server.sessions).toHaveLength(0);
});

test('a service that forwards such metadata fails with INTERNAL, without blaming its caller', async () => {
  await using bottom = await startTestServer(EchoService, {});
  await using top = await startTestServer(EchoService, {
    getEcho: async () => {
      await bottom.client.listEchoes({}, { metadata: { connection: 'keep-alive' } });
      return {};
    },
  });
  expect(await rejectionOf(top.client.getEcho({ key: 'A' }))).toMatchObject({ code: Code.INTERNAL });
});

test('well-formed metadata arrives unchanged, in lower case', async () => {
  await using server = await startCounting();
  using client = createClient(EchoService, { target: server.target });
  const metadata = {
    'X-Tenant_1.a': 'b',
    'x-empty': '',
    'x-request-id': 'order-17',
    authorization: 'Basic x',
  };
  await rejectionOf(client.listEchoes({}, { metadata }));
  expect(server.attempts[0]).toMatchObject({
    'x-tenant_1.a': 'b',
    'x-empty': '',
    'x-request-id': 'order-17',
    authorization: 'Basic x',
  });
});

test('several values of a key arrive in their order, bytes in base64', async () => {
  await using server = await startCounting();
  using client = createClient(EchoService, { target: server.target });
  const metadata = {
    'x-many': ['a', 'b'],
    'x-none': [],
    'x-one-bin': Uint8Array.of(0, 255),
    'X-Many-Bin': [Uint8Array.of(1), Buffer.of()],
  };
  await rejectionOf(client.listEchoes({}, { metadata }));
  expect(server.attempts[0]).toMatchObject({
    'x-many': 'a, b',
    'x-one-bin': 'AP8=',
    'x-many-bin': 'AQ==, ',
  });
  expect(server.attempts[0]).not.toHaveProperty('x-none');
});

test('an authorization in addition to a token source is rejected', async () => {
  await using server = await startCounting();
  using client = createClient(EchoService, { target: server.target, token: () => 'token' });
  const error = await rejectionOf(client.listEchoes({}, { metadata: { authorization: 'Bearer other' } }));
  expect(error).toMatchObject({
    code: Code.INVALID_ARGUMENT,
    message: 'cannot send metadata "authorization": the token source sets it',
  });
});

test('an authorization in plain text to another machine is rejected', async () => {
  using client = createClient(EchoService, { target: 'echo.invalid:50052' });
  const error = await rejectionOf(client.listEchoes({}, { metadata: { authorization: 'Bearer other' } }));
  expect(error).toMatchObject({
    code: Code.INVALID_ARGUMENT,
    message: 'cannot send metadata "authorization": the channel is not encrypted',
  });
});

test('metadata larger than servers accept is rejected, and the largest key is named', async () => {
  await using server = await startCounting();
  using client = createClient(EchoService, { target: server.target, token: () => 'token' });
  const many = Object.fromEntries(Array.from({ length: 99 }, (_, index) => [`x-${index}`, 'x'.repeat(150)]));
  const large: Record<string, string | Uint8Array | string[]>[] = [
    { 'x-big': 'x'.repeat(16 * kiB) },
    { ...many, 'x-big': 'x'.repeat(200) },
    { 'x-small': '', 'x-big': Array<string>(99).fill('x'.repeat(150)) },
    { 'x-small': '', 'x-big-bin': Buffer.alloc(12 * kiB) },
  ];
  for (const metadata of large) {
    const error = await rejectionOf(client.listEchoes({}, { metadata }));
    expect(error.code).toBe(Code.INVALID_ARGUMENT);
    expect(error.message).toMatch(
      /^cannot send metadata "x-[\w-]+": all metadata takes \d+ bytes, at most 15872 are allowed$/,
    );
    expect(error.message).toContain('big');
  }
  expect(server.sessions).toHaveLength(0);
});

test('a server accepts the maximum of metadata that a client sends', async () => {
  await using server = await startTestServer(EchoService, { listEchoes: async () => ({}) });
  const metadata = { 'x-big': 'x'.repeat(15 * kiB) };
  await server.client.listEchoes({}, { metadata });
});

test('ill-formed trace headers, and those without room, are omitted and the call is made', async () => {
  onTestFinished(() => propagation.disable());
  propagation.setGlobalPropagator({
    inject: (_context, carrier, setter) => {
      setter.set(carrier, 'traceparent', '00-1-2-01');
      setter.set(carrier, 'tracestate', 'vendor=Grüße');
      setter.set(carrier, 'connection', 'keep-alive');
      setter.set(carrier, 'baggage', 'x'.repeat(16 * kiB));
    },
    extract: (context) => context,
    fields: () => [],
  });
  await using server = await startCounting();
  using client = createClient(EchoService, { target: server.target });
  expect(await rejectionOf(client.listEchoes({}))).toMatchObject({ code: Code.UNIMPLEMENTED });
  const [headers] = server.attempts;
  expect(headers).toMatchObject({ traceparent: '00-1-2-01' });
  expect(Object.keys(headers ?? {})).not.toEqual(expect.arrayContaining(['tracestate']));
  expect(Object.keys(headers ?? {})).not.toEqual(expect.arrayContaining(['baggage']));
});

test('a request id of the caller replaces that of the served call', async () => {
  await using bottom = await startCounting();
  using client = createClient(EchoService, { target: bottom.target });
  await using top = await startTestServer(EchoService, {
    getEcho: async () => {
      await rejectionOf(client.listEchoes({}, { metadata: { 'x-request-id': 'mine' } }));
      return {};
    },
  });
  await top.client.getEcho({ key: 'A' });
  expect(bottom.attempts[0]).toMatchObject({ 'x-request-id': 'mine' });
});
