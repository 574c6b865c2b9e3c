import { OrderService } from '@acme/gen/orders/v1/order_service_pb';
import { methodPath } from '@acme/rpc/contract';
import { Client, credentials, Metadata } from '@grpc/grpc-js';

/**
 * Opens watches over several connections. Sends the parent a message when all are established, and when the last one has
 * received a change. It uses grpc-js directly, which uses less CPU than the client of @acme/rpc.
 */
const [target = '', token = '', watches = '', connections = ''] = process.argv.slice(2);
const count = Number(watches);
const clients = Array.from(
  { length: Number(connections) },
  () => new Client(target, credentials.createInsecure(), { 'grpc.use_local_subchannel_pool': 1 }),
);
const path = methodPath(OrderService.method.watchOrders);
/** The first byte of a response with an order: the tag of `order`, field 1. A heartbeat begins with its resume token. */
const orderTag = 0x0a;
let established = 0;
let received = 0;

for (let index = 0; index < count; index++) {
  // In small batches, because opening is not measured.
  if (index % 200 === 199) await new Promise((resolve) => setTimeout(resolve, 50));
  open(clients[index % clients.length] as Client);
}

function open(client: Client): void {
  const metadata = new Metadata();
  metadata.set('authorization', `Bearer ${token}`);
  const asIs = (bytes: Buffer) => bytes;
  const call = client.makeServerStreamRequest(path, asIs, asIs, Buffer.alloc(0), metadata, {
    deadline: Date.now() + 3_600_000,
  });
  let isEstablished = false;
  call.on('data', (message: Buffer) => {
    if (message[0] === orderTag) {
      if (++received % count === 0) process.send?.({ receivedMs: Date.now() });
    } else if (!isEstablished) {
      isEstablished = true;
      if (++established === count) process.send?.({ established });
    }
  });
  call.on('error', (error) => process.send?.({ error: error.message }));
}
process.on('disconnect', () => process.exit());
