import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import { expect, test, vi } from 'vitest';
import { createClient } from '../../client/create-client.ts';
import { Code } from '../../errors/rpc-error.ts';
import { EchoService } from '../gen/testing/v1/echo_service_pb.ts';
import { rejectionOf } from '../rejection-of.ts';
import { startTestServer } from '../start-test-server.ts';
import { startFaultProxy } from './fault-proxy.ts';
import { endOf, startProxiedPair } from './proxied-pair.ts';

const until = (check: () => unknown) => vi.waitUntil(check, { timeout: 15_000, interval: 5 });

test('bytes and ends pass both ways, and are counted', async () => {
  await using pair = await startProxiedPair();
  pair.client.socket.end('question');
  expect(await pair.server.over).toBe('end');
  expect(pair.server.text()).toBe('question');
  pair.server.socket.end('an answer');
  expect(await pair.client.over).toBe('end');
  expect(pair.client.text()).toBe('an answer');
  await until(() => pair.proxy.counters.open === 0);
  expect(pair.proxy.counters).toEqual({
    connections: 1,
    open: 0,
    refused: 0,
    passed: { upstream: 8, downstream: 9 },
    dropped: { upstream: 0, downstream: 0 },
  });
});

test('sever resets every open connection, and new connections are accepted', async () => {
  await using pair = await startProxiedPair();
  const second = await pair.open();
  pair.proxy.severAll();
  for (const end of [pair.client, pair.server, second.client, second.server])
    expect(await end.over).toBe('ECONNRESET');
  await until(() => pair.proxy.counters.open === 0);
  const third = await pair.open();
  third.client.socket.write('hello');
  await until(() => third.server.text() === 'hello');
});

test('new connections are refused until the proxy is healed, and open ones stay', async () => {
  await using pair = await startProxiedPair();
  pair.proxy.refuseConnections();
  const refused = endOf(connect(pair.proxy.port, '127.0.0.1'));
  expect(await refused.over).toBe('ECONNRESET');
  pair.client.socket.write('still here');
  await until(() => pair.server.text() === 'still here');
  expect(pair.proxy.counters).toMatchObject({ connections: 1, open: 1, refused: 1 });
  pair.proxy.heal();
  await pair.open();
  expect(pair.proxy.counters).toMatchObject({ connections: 2, open: 2, refused: 1 });
});

test('an unreachable server causes a reset', async () => {
  const closed = createServer();
  await once(closed.listen(0, '127.0.0.1'), 'listening');
  const { port } = closed.address() as AddressInfo;
  await closed[Symbol.asyncDispose]();
  await using proxy = await startFaultProxy({ target: { host: '127.0.0.1', port } });
  const client = endOf(connect(proxy.port, '127.0.0.1'));
  expect(await client.over).toBe('ECONNRESET');
});

test('disposing the proxy ends its connections', async () => {
  await using pair = await startProxiedPair();
  await pair.proxy[Symbol.asyncDispose]();
  expect(await pair.client.over).toBe('ECONNRESET');
  expect(await pair.server.over).toBe('ECONNRESET');
});

test('a call whose connection is reset half way returns UNAVAILABLE, and the next call succeeds after healing', async () => {
  const entered = Promise.withResolvers<void>();
  const held = Promise.withResolvers<object>();
  await using server = await startTestServer(EchoService, {
    async *exchangeEchoes() {
      entered.resolve();
      yield await held.promise;
    },
    getEcho: async () => ({ echo: { key: 'A' } }),
  });
  await using proxy = await startFaultProxy({ target: server.target });
  using client = createClient(EchoService, { target: proxy.target, token: () => 'test-token' });
  // The one method that is never retried.
  const call = rejectionOf(Array.fromAsync(client.exchangeEchoes([{ key: 'A' }])));
  await entered.promise;
  proxy.refuseConnections();
  proxy.severAll();
  expect(await call).toMatchObject({ code: Code.UNAVAILABLE });
  expect(await rejectionOf(client.getEcho({ key: 'A' }))).toMatchObject({ code: Code.UNAVAILABLE });
  proxy.heal();
  await until(async () => (await client.getEcho({ key: 'A' }).catch(() => undefined))?.echo?.key);
  held.resolve({});
});
