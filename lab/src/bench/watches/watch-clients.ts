import { OrderService } from '@acme/gen/orders/v1/order_service_pb';
import { methodPath } from '@acme/rpc/grpc-js/add-service';
import { Client, credentials, Metadata } from '@grpc/grpc-js';

/**
 * Opens so many watches over so many connections, says when all of them stand, and then of each change when the last of
 * them has it. It is grpc-js alone, which costs the machine less than our client: it is the server that is measured.
 */
const [target = '', token = '', watches = '', connections = ''] = process.argv.slice(2);
const count = Number(watches);
const clients = Array.from(
  { length: Number(connections) },
  () => new Client(target, credentials.createInsecure(), { 'grpc.use_local_subchannel_pool': 1 }),
);
const path = methodPath(OrderService.method.watchOrders);
/** A heartbeat is a token, of some 40 bytes; an order is more. */
const leastChangeBytes = 80;
let standing = 0;
let told = 0;

for (let index = 0; index < count; index++) {
  // A few at a time: it is not the opening that is measured.
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
  let stands = false;
  call.on('data', (message: Buffer) => {
    if (message.length > leastChangeBytes) {
      if (++told % count === 0) process.send?.({ toldMs: Date.now() });
    } else if (!stands) {
      stands = true;
      if (++standing === count) process.send?.({ standing });
    }
  });
  call.on('error', (error) => process.send?.({ error: error.message }));
}
process.on('disconnect', () => process.exit());
