import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { expect, test } from 'vitest';
import { Code } from '../../errors/rpc-error.ts';
import { EchoService } from '../../testing/gen/testing/v1/echo_service_pb.ts';
import { startReplica } from '../../testing/replicas/start-replica.ts';
import { type Client, createClient } from '../create-client.ts';

/** A replica that holds GetEcho until it is released or cancelled, and records the connections of its calls. */
async function startHolding() {
  const released = Promise.withResolvers<void>();
  const peers = new Set<string>();
  let calls = 0;
  let onCall = () => {};
  const replica = await startReplica({
    getEcho: async ({ key }, { peer, signal }) => {
      peers.add(peer);
      calls++;
      onCall();
      await Promise.race([
        released.promise,
        new Promise((resolve) => signal.addEventListener('abort', resolve)),
      ]);
      return { echo: { key } };
    },
    listEchoes: async () => {
      await released.promise;
      return { nextPageToken: 'survived' };
    },
    async *watchEchoes() {
      yield { resumeToken: 'first' };
      await released.promise;
      yield { resumeToken: 'survived' };
    },
  });
  return {
    target: `127.0.0.1:${replica.port}`,
    peers,
    release: () => released.resolve(),
    /** Resolves when GetEcho has been called this many times in all. */
    called: (count: number) =>
      new Promise<void>((resolve) => {
        onCall = () => {
          if (calls >= count) resolve();
        };
        onCall();
      }),
    [Symbol.asyncDispose]: () => replica[Symbol.asyncDispose](),
  };
}

const open = (client: Client<typeof EchoService>, count: number, signal?: AbortSignal) =>
  Array.from({ length: count }, () =>
    client.getEcho({ key: 'A' }, { deadlineMs: 10_000, ...(signal && { signal }) }),
  );

test.each(['round_robin', 'peak_ewma'] as const)(
  'with %s, a client that cancels 2,400 calls keeps its watch and its other calls',
  async (balancing) => {
    await using replica = await startHolding();
    using client = createClient(EchoService, { target: replica.target, balancing });
    const watch = client.watchEchoes({});
    await watch.next();
    const bystander = client.listEchoes({}, { deadlineMs: 10_000 });
    for (let wave = 1; wave <= 4; wave++) {
      const abort = new AbortController();
      const answers = Promise.allSettled(open(client, 600, abort.signal));
      await replica.called(wave * 600);
      abort.abort();
      for (const answer of await answers)
        expect(answer).toMatchObject({ status: 'rejected', reason: { code: Code.CANCELLED } });
    }
    replica.release();
    expect(await bystander).toMatchObject({ nextPageToken: 'survived' });
    expect(await watch.next()).toMatchObject({ value: { resumeToken: 'survived' } });
    await watch.return();
    expect(replica.peers.size).toBeLessThanOrEqual(4);
  },
);

test('clients of a target share the budget of a connection', async () => {
  await using replica = await startHolding();
  using client = createClient(EchoService, { target: replica.target });
  using other = createClient(EchoService, { target: replica.target });
  const calls = open(client, 700);
  await replica.called(700);
  expect(replica.peers.size).toBe(1);
  calls.push(...open(other, 200));
  await replica.called(900);
  expect(replica.peers.size).toBe(2);
  replica.release();
  await Promise.all(calls);
});

test('calls use the regular connection again when it is half free', async () => {
  await using replica = await startHolding();
  using client = createClient(EchoService, { target: replica.target });
  const calls = open(client, 1000);
  await replica.called(1000);
  const [regular] = replica.peers;
  replica.release();
  await Promise.all(calls);
  expect(replica.peers.size).toBe(2);
  replica.peers.clear();
  await Promise.all(open(client, 10));
  expect([...replica.peers]).toEqual([regular]);
});

test('calls share the regular connection if no other can be opened', async () => {
  await using replica = await startHolding();
  await using proxy = await startOneConnectionProxy(replica.target);
  using client = createClient(EchoService, { target: proxy.target });
  const calls = open(client, 900);
  await replica.called(900);
  replica.release();
  await Promise.all(calls);
  expect(replica.peers.size).toBe(1);
});

/** Forwards one connection and closes all others. */
async function startOneConnectionProxy(target: string) {
  const port = Number(target.split(':')[1]);
  const sockets: Socket[] = [];
  const proxy = createServer((socket) => {
    socket.on('error', () => {});
    if (sockets.length > 0) return void socket.destroy();
    const upstream = connect(port, '127.0.0.1');
    upstream.on('error', () => {});
    sockets.push(socket, upstream);
    socket.pipe(upstream).pipe(socket);
  });
  await once(proxy.listen(0, '127.0.0.1'), 'listening');
  return {
    target: `127.0.0.1:${(proxy.address() as AddressInfo).port}`,
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => proxy.close(resolve));
    },
  };
}
