import { once } from 'node:events';
import { InventoryService } from '@acme/gen/inventory/v1/inventory_service_pb';
import { OrderService } from '@acme/gen/orders/v1/order_service_pb';
import { credentials, Client as GrpcClient } from '@grpc/grpc-js';
import { expect, test } from 'vitest';
import { Code } from '../errors/rpc-error.ts';
import { rejectionOf } from '../testing/rejection-of.ts';
import { startRawServer } from '../testing/replicas/start-raw-server.ts';
import { channelOptions } from './channel-options.ts';
import { createClient } from './create-client.ts';
import { serviceConfigOf } from './service-config.ts';

/** A server that serves nothing, on connections that can be counted. */
const startCounting = () => startRawServer(() => ({ 'grpc-status': Code.UNIMPLEMENTED }));

const unimplemented = { code: Code.UNIMPLEMENTED };

test('ensure all clients of a target share one connection, whatever their service, hedging or balancing', async () => {
  await using server = await startCounting();
  const { target } = server;
  using inventory = createClient(InventoryService, { target });
  using again = createClient(InventoryService, { target, token: () => 'token' });
  using orders = createClient(OrderService, { target, balancing: 'peak_ewma' });
  using hedged = createClient(OrderService, {
    target,
    hedging: { methods: ['getOrder'], attempts: 2, delayMs: 60_000 },
  });
  await expect(inventory.listStock({})).rejects.toMatchObject(unimplemented);
  await expect(again.listStock({})).rejects.toMatchObject(unimplemented);
  await expect(orders.listOrders({})).rejects.toMatchObject(unimplemented);
  await expect(hedged.getOrder({ id: '1' })).rejects.toMatchObject(unimplemented);
  expect(server.attempts).toHaveLength(4);
  expect(server.sessions).toHaveLength(1);
});

test('ensure the connection stays while a client of it is left, and is closed with the last', async () => {
  await using server = await startCounting();
  const first = createClient(InventoryService, { target: server.target });
  const second = createClient(OrderService, { target: server.target });
  await rejectionOf(first.listStock({}));
  await rejectionOf(second.listOrders({}));
  const [session] = server.sessions;
  if (!session) throw new Error('nobody has connected');
  first[Symbol.dispose]();
  await rejectionOf(second.listOrders({}));
  expect(session.closed).toBe(false);
  const closed = once(session, 'close');
  second[Symbol.dispose]();
  await closed;
  expect(server.sessions).toHaveLength(1);
});

test('ensure grpc-js by itself still makes a connection for each service config', async () => {
  await using server = await startCounting();
  for (const service of [InventoryService, OrderService]) {
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
