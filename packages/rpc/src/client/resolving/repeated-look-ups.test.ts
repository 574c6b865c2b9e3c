import { Resolver } from 'node:dns/promises';
import { connectivityState, credentials, Client as GrpcClient } from '@grpc/grpc-js';
import { expect, onTestFinished, test } from 'vitest';
import type { EchoImplementation } from '../../testing/calls-of-each-kind.ts';
import { EchoService } from '../../testing/gen/testing/v1/echo_service_pb.ts';
import { type DnsServer, startDnsServer } from '../../testing/network/start-dns-server.ts';
import { answeringAs, startReplica } from '../../testing/replicas/start-replica.ts';
import { type Client, createClient } from '../create-client.ts';
import { registerResolver } from './register-resolver.ts';
import { repeatedLookUps } from './repeated-look-ups.ts';

const balancings = ['round_robin', 'peak_ewma'] as const;
let schemes = 0;

/** Starts a DNS server and a resolver that asks it every 20 ms, for the targets of a scheme. */
async function startDns() {
  const server = await startDnsServer();
  onTestFinished(() => server[Symbol.asyncDispose]());
  const look = { running: 0, most: 0, failed: 0 };
  const lookUp = async (host: string) => {
    // The one of the system, `dns.lookup`, cannot be directed to a server.
    const resolver = new Resolver({ timeout: 100, tries: 1 });
    resolver.setServers([server.address]);
    look.most = Math.max(look.most, ++look.running);
    try {
      return await resolver.resolve4(host);
    } catch (error) {
      look.failed++;
      throw error;
    } finally {
      look.running--;
    }
  };
  const resolve = repeatedLookUps({ lookUp, intervalMs: 20, random: Math.random });
  const scheme = `look-ups-${++schemes}`;
  registerResolver(scheme, resolve);
  /** Returns how often a name is looked up while another one is, four times. */
  const lookUpsMeanwhile = async (name: string) => {
    await until(() => look.running === 0);
    const before = queriesOf(server, name);
    server.records.set('other', ['127.0.0.1']);
    const other = resolve('other:1', { onAddresses: () => {}, onError: () => {} });
    await until(() => queriesOf(server, 'other') >= 4);
    other.close();
    return queriesOf(server, name) - before;
  };
  return {
    server,
    look,
    resolve,
    lookUpsMeanwhile,
    targetOf: (name: string, port: number) => `${scheme}:///${name}:${port}`,
  };
}

/** Starts two replicas on one port of two addresses. */
async function startTwo(second: Partial<EchoImplementation> = answeringAs('b')) {
  const a = await startReplica(answeringAs('a'));
  onTestFinished(() => a[Symbol.asyncDispose]());
  const b = await startReplica(second, { host: '127.0.0.2', port: a.port });
  onTestFinished(() => b[Symbol.asyncDispose]());
  return a.port;
}

async function ask(client: Client<typeof EchoService>, key = 'A'): Promise<string | undefined> {
  const { echo } = await client.getEcho({ key }, { deadlineMs: 10_000 });
  return echo?.text;
}

async function untilAnswer(client: Client<typeof EchoService>, name: string): Promise<void> {
  while ((await ask(client)) !== name);
}

async function until(isReached: () => boolean): Promise<void> {
  while (!isReached()) await new Promise((resolve) => setTimeout(resolve, 5));
}

const queriesOf = ({ queries }: DnsServer, name: string) => queries.filter((each) => each === name).length;

test.each(balancings)('%s calls a new replica, and the connections to the others stay', async (balancing) => {
  const { server, targetOf } = await startDns();
  const port = await startTwo();
  server.records.set('echo', ['127.0.0.1']);
  using client = createClient(EchoService, { target: targetOf('echo', port), balancing });
  for (let call = 0; call < 5; call++) expect(await ask(client)).toBe('a');
  server.records.set('echo', ['127.0.0.1', '127.0.0.2']);
  await untilAnswer(client, 'b');
  await untilAnswer(client, 'a');
});

test.each(balancings)(
  '%s lets the calls of a replica that leaves the name finish, and calls it again when it returns',
  async (balancing) => {
    const entered = Promise.withResolvers<void>();
    const released = Promise.withResolvers<void>();
    const { server, targetOf } = await startDns();
    const port = await startTwo({
      getEcho: async ({ key }) => {
        if (key === 'held') {
          entered.resolve();
          await released.promise;
        }
        return { echo: { key, text: 'b' } };
      },
    });
    server.records.set('echo', ['127.0.0.2']);
    using client = createClient(EchoService, { target: targetOf('echo', port), balancing });
    const held = ask(client, 'held');
    await entered.promise;
    server.records.set('echo', ['127.0.0.1']);
    await untilAnswer(client, 'a');
    for (let call = 0; call < 10; call++) expect(await ask(client)).toBe('a');
    released.resolve();
    expect(await held).toBe('b');
    server.records.set('echo', ['127.0.0.1', '127.0.0.2']);
    await untilAnswer(client, 'b');
  },
);

test.each([
  ['does not answer', (server: DnsServer) => void server.records.set('echo', 'silent')],
  ['does not know the name', (server: DnsServer) => server.records.clear()],
])('a client keeps its addresses while the DNS server %s, and is asked less often', async (_name, fail) => {
  const { server, look, targetOf } = await startDns();
  const port = await startTwo();
  server.records.set('echo', ['127.0.0.1']);
  using client = createClient(EchoService, { target: targetOf('echo', port) });
  await ask(client);
  fail(server);
  const startMs = performance.now();
  while (look.failed < 4) expect(await ask(client)).toBe('a');
  // 40, 80 and 160 ms, less the jitter.
  expect(performance.now() - startMs).toBeGreaterThan(210);
  server.records.set('echo', ['127.0.0.2']);
  await untilAnswer(client, 'b');
});

test('calls of a name that does not exist are UNAVAILABLE, and succeed once it does', async () => {
  const { server, targetOf } = await startDns();
  const port = await startTwo();
  using client = createClient(EchoService, { target: targetOf('echo', port) });
  await expect(client.getEcho({ key: 'A' })).rejects.toThrow('name resolution failed: queryA ENOTFOUND echo');
  server.records.set('echo', ['127.0.0.1']);
  const { echo } = await client.getEcho({ key: 'A' }, { deadlineMs: 10_000, waitForReady: true });
  expect(echo?.text).toBe('a');
});

test('the clients of a name share its look-ups, and the last one ends them', async () => {
  const { server, look, lookUpsMeanwhile, targetOf } = await startDns();
  const port = await startTwo();
  server.records.set('echo', ['127.0.0.1']);
  const target = targetOf('echo', port);
  const clients = Array.from({ length: 5 }, () => createClient(EchoService, { target }));
  expect(await Promise.all(clients.map((client) => ask(client)))).toEqual(Array(5).fill('a'));
  await until(() => queriesOf(server, 'echo') > 5);
  expect(look.most).toBe(1);
  for (const client of clients) client[Symbol.dispose]();
  expect(await lookUpsMeanwhile('echo')).toBe(0);
});

test('a name that is not answered does not delay the look-ups of another', async () => {
  const { server, look, resolve } = await startDns();
  server.records.set('mute', 'silent').set('echo', ['127.0.0.1']);
  const found = Promise.withResolvers<readonly string[]>();
  const mute = resolve('mute:1', { onAddresses: () => {}, onError: () => {} });
  const echo = resolve('echo:7', { onAddresses: found.resolve, onError: found.reject });
  expect(await found.promise).toEqual(['127.0.0.1:7']);
  expect(look.failed).toBe(0);
  mute.close();
  echo.close();
});

test('an idle channel looks nothing up until its next call', async () => {
  const { server, lookUpsMeanwhile, targetOf } = await startDns();
  const port = await startTwo();
  server.records.set('echo', ['127.0.0.1']);
  const client = new GrpcClient(targetOf('echo', port), credentials.createInsecure(), {
    'grpc.client_idle_timeout_ms': 1000,
  });
  onTestFinished(() => client.close());
  const call = () =>
    new Promise((resolve) =>
      client.makeUnaryRequest('/a.B/C', Buffer.from, Buffer.from, Buffer.of(), resolve),
    );
  await call();
  await until(() => client.getChannel().getConnectivityState(false) === connectivityState.IDLE);
  expect(await lookUpsMeanwhile('echo')).toBe(0);
  const before = queriesOf(server, 'echo');
  await call();
  await until(() => queriesOf(server, 'echo') > before);
});
