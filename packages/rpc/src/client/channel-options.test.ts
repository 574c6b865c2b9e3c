import { once } from 'node:events';
import { connect } from 'node:http2';
import { type AddressInfo, createServer } from 'node:net';
import { type ChannelOptions, connectivityState, credentials, Client as GrpcClient } from '@grpc/grpc-js';
import { expect, onTestFinished, test } from 'vitest';
import { answeringAs, startReplica } from '../testing/replicas/start-replica.ts';
import { startReplicaProcess } from '../testing/replicas/start-replica-process.ts';
import { channelOptions } from './channel-options.ts';

test('keepalive detects a server that hangs, even without a call', async () => {
  await using replica = await startReplicaProcess('a');
  // The same options in a hundredth of the time.
  const soon = { 'grpc.keepalive_time_ms': 200, 'grpc.keepalive_timeout_ms': 200 };
  const client = new GrpcClient(`127.0.0.1:${replica.port}`, credentials.createInsecure(), {
    ...channelOptions,
    ...soon,
  });
  onTestFinished(() => client.close());
  await new Promise<void>((resolve, reject) =>
    client.waitForReady(Number.POSITIVE_INFINITY, (error) => (error ? reject(error) : resolve())),
  );
  replica.pause();
  const channel = client.getChannel();
  await new Promise((resolve) =>
    channel.watchConnectivityState(connectivityState.READY, Number.POSITIVE_INFINITY, resolve),
  );
  expect(channel.getConnectivityState(false)).not.toBe(connectivityState.READY);
});

test('a server of this package accepts any number of pings', async () => {
  await using replica = await startReplica(answeringAs('a'));
  const session = connect(`http://127.0.0.1:${replica.port}`);
  onTestFinished(() => session.destroy());
  let goneAway = false;
  session.on('goaway', () => {
    goneAway = true;
  });
  await once(session, 'connect');
  for (let pings = 0; pings < 100; pings++)
    await new Promise<void>((resolve, reject) => {
      session.ping((error) => (error ? reject(error) : resolve()));
    });
  expect(goneAway).toBe(false);
  expect(session.closed).toBe(false);
});

/** Counts the connection attempts of a client to a server that closes every connection. */
async function startTrying(options: ChannelOptions, onTry: (tries: number) => void) {
  let tries = 0;
  const server = createServer((socket) => {
    socket.destroy();
    onTry(++tries);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  const client = new GrpcClient(`127.0.0.1:${port}`, credentials.createInsecure(), options);
  onTestFinished(() => {
    client.close();
    server.close();
  });
  client.waitForReady(Number.POSITIVE_INFINITY, () => {});
}

test('a client reconnects to a recovered server sooner than grpc-js by default', async () => {
  const secondTry = Promise.withResolvers<void>();
  let tries = 0;
  await startTrying({}, (count) => {
    if (count === 2) secondTry.resolve();
  });
  await startTrying(channelOptions, (count) => {
    tries = count;
  });
  await secondTry.promise;
  expect(tries).toBeGreaterThan(2);
});
