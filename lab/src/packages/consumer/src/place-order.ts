// Places an order at the orders service of another repository: `place-order.ts TARGET TOKEN`.
import { OrderService } from '@acme/gen/orders/v1/order_service_pb';
import { createClient } from '@acme/rpc/client';

const [target = '', token = ''] = process.argv.slice(2);
using orders = createClient(OrderService, { target, token: () => token });
const { order } = await orders.placeOrder({
  requestId: crypto.randomUUID(),
  lines: [{ sku: 'SAT-0001', quantity: 2 }],
});
const { orders: page } = await orders.listOrders({ pageSize: 1 });
process.stdout.write(`placed: ${order?.id === page[0]?.id}\n`);
