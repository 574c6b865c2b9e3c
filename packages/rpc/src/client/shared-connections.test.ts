import { once } from 'node:events';
import { credentials, Client as GrpcClient } from '@grpc/grpc-js';
import { expect, test } from 'vitest';
import { Code } from '../errors/rpc-error.ts';
import { EchoService } from '../testing/gen/testing/v1/echo_service_pb.ts';
import { PingService } from '../testing/gen/testing/v1/ping_service_pb.ts';
import { rejectionOf } from '../testing/rejection-of.ts';
import { startRawServer } from '../testing/replicas/start-raw-server.ts';
import { channelOptions } from './channel-options.ts';
import { createClient } from './create-client.ts';
import { serviceConfigOf } from './service-config.ts';

/** A server without handlers that records its connections. */
const startCounting = () => startRawServer(() => ({ 'grpc-status': Code.UNIMPLEMENTED }));

const unimplemented = { code: Code.UNIMPLEMENTED };

test('all clients of a target share one connection, whatever their service, hedging or balancing', async () => {
  await using server = await startCounting();
  const { target } = server;
  using echo = createClient(EchoService, { target });
  using again = createClient(EchoService, { target, token: () => 'token' });
  using ping = createClient(PingService, { target, balancing: 'peak_ewma' });
  using hedged = createClient(PingService, {
    target,
    hedging: { methods: ['ping'], attempts: 2, delayMs: 60_000 },
  });
  await expect(echo.listEchoes({})).rejects.toMatchObject(unimplemented);
  await expect(again.listEchoes({})).rejects.toMatchObject(unimplemented);
  await expect(ping.ping({})).rejects.toMatchObject(unimplemented);
  await expect(hedged.ping({})).rejects.toMatchObject(unimplemented);
  expect(server.attempts).toHaveLength(4);
  expect(server.sessions).toHaveLength(1);
});

test('the connection is closed with its last client', async () => {
  await using server = await startCounting();
  const first = createClient(EchoService, { target: server.target });
  const second = createClient(PingService, { target: server.target });
  await rejectionOf(first.listEchoes({}));
  await rejectionOf(second.ping({}));
  const [session] = server.sessions;
  if (!session) throw new Error('no connection');
  first[Symbol.dispose]();
  await rejectionOf(second.ping({}));
  expect(session.closed).toBe(false);
  const closed = once(session, 'close');
  second[Symbol.dispose]();
  await closed;
  expect(server.sessions).toHaveLength(1);
});

test('grpc-js by itself still makes a connection for each service config', async () => {
  await using server = await startCounting();
  for (const service of [EchoService, PingService]) {
    const { retryThrottling, methodConfig } = JSON.parse(serviceConfigOf(service));
    const config = JSON.stringify({ retryThrottling, methodConfig });
    const client = new GrpcClient(server.target, credentials.createInsecure(), {
      ...channelOptions,
      'grpc.service_config': config,
    });
    const asIs = (bytes: Buffer) => bytes;
    await new Promise((resolve) =>
      client.makeUnaryRequest('/a.B/C', asIs, asIs, Buffer.of(), (error) => resolve(error)),
    );
    client.close();
  }
  expect(server.sessions).toHaveLength(2);
});
