import { expect, test } from 'vitest';
import { Code } from '../errors/rpc-error.ts';
import { Health, HealthCheckResponse_ServingStatus } from '../gen/grpc/health/v1/health_pb.ts';
import { EchoService } from '../testing/gen/testing/v1/echo_service_pb.ts';
import { startProxy } from '../testing/network/start-proxy.ts';
import { rejectionOf } from '../testing/rejection-of.ts';
import { startTestServer } from '../testing/start-test-server.ts';
import { createClient } from './create-client.ts';

const token = () => 'canary-token';

test.each([
  'echo:50052',
  'dns:///echo:50052',
  '10.0.0.1:50052',
  'ipv4:10.0.0.1:50052',
  '127.0.0.1.evil.com:1',
  'localhost.evil.com',
  'evil.com/localhost:1',
  'dns:///127.0.0.1.evil.com:443',
  'dns://127.0.0.1/evil.com:443',
  'ipv4:127.0.0.1:1,10.0.0.1:1',
  'ipv4:10.0.0.1:1,127.0.0.1:1',
  'ipv4:127.0.0.1:1,127.0.0.1.evil.com:1',
  'ipv6:[::2]:1',
  '[::1:50052]',
  '::1:50052',
  'xlocalhost:1',
  'localhost:1\nevil.com',
  'localhost@evil.com:1',
  'localhost:1@evil.com',
  'http://localhost:1',
  '0x7f.evil.com:1',
  '127.1:1',
  '',
])('a token is not sent in plain text to %j', (target) => {
  expect(() => createClient(EchoService, { target, token })).toThrow(
    `cannot send a token to ${target} in plain text`,
  );
});

test.each([
  'localhost',
  'localhost:1',
  '127.0.0.1:1',
  'dns:///localhost:1',
  'dns:127.0.0.1:1',
  'ipv4:127.0.0.1:1',
  'ipv4:127.0.0.1:1,127.0.0.1:2',
  '[::1]:1',
  'ipv6:[::1]:1',
  'unix:/run/echo.sock',
  'unix:///run/echo.sock',
])('a token may be sent in plain text to %s', (target) => {
  createClient(EchoService, { target, token })[Symbol.dispose]();
});

test('a client without a token may call any address', () => {
  createClient(EchoService, { target: 'echo:50052' })[Symbol.dispose]();
});

test('a proxy from the environment gets neither the call nor its token', async () => {
  await using server = await startTestServer(EchoService, { listEchoes: async () => ({}) });
  await using proxy = await startProxy();
  using client = createClient(EchoService, { target: server.target, token });
  await client.listEchoes({});
  expect(proxy.connections).toBe(0);
});

test('a token source that fails or never resolves does not delay the call beyond its deadline', async () => {
  await using server = await startTestServer(EchoService, { listEchoes: async () => ({}) });
  using failing = createClient(EchoService, {
    target: server.target,
    token: () => Promise.reject(new Error('no key')),
  });
  await expect(failing.listEchoes({})).rejects.toThrow('no key');
  using hanging = createClient(EchoService, {
    target: server.target,
    token: () => new Promise(() => {}),
  });
  expect((await rejectionOf(hanging.listEchoes({}, { deadlineMs: 50 }))).code).toBe(Code.DEADLINE_EXCEEDED);
  const signal = AbortSignal.abort();
  expect((await rejectionOf(hanging.listEchoes({}, { signal }))).code).toBe(Code.CANCELLED);
});

test('calls of a disposed client fail at once', async () => {
  await using server = await startTestServer(EchoService, { listEchoes: async () => ({}) });
  const client = createClient(EchoService, { target: server.target, token });
  client[Symbol.dispose]();
  await expect(client.listEchoes({}, { deadlineMs: 60_000 })).rejects.toThrow('has been disposed');
});

test('a call to an address without a listener is UNAVAILABLE, long before its deadline', async () => {
  const server = await startTestServer(EchoService, {});
  await server[Symbol.asyncDispose]();
  using client = createClient(EchoService, { target: server.target, token });
  const error = await rejectionOf(client.listEchoes({}, { deadlineMs: 60_000 }));
  expect(error).toMatchObject({
    code: Code.UNAVAILABLE,
    calledMethod: 'testing.v1.EchoService/ListEchoes',
  });
});

const health = Health.typeName;

test('a contract without policies is called with policies in code, also without a deadline', async () => {
  await using server = await startTestServer(EchoService, {});
  for (const deadlineMs of [5000, Number.POSITIVE_INFINITY]) {
    const policies = { [health]: { deadlineMs, scopes: [] } };
    using client = createClient(Health, { target: server.target, policies });
    expect(await client.check({})).toMatchObject({ status: HealthCheckResponse_ServingStatus.NOT_SERVING });
  }
});

test.each([
  ['no policy', {}, `${health}/Check has no policy`],
  [
    'a policy that names nothing',
    { 'grpc.health.v1.Helth': { deadlineMs: 1, scopes: [] } },
    'names no method',
  ],
])('a client with %s is an error', (_name, policies, message) => {
  expect(() => createClient(Health, { target: 'localhost:1', policies })).toThrow(message);
});
