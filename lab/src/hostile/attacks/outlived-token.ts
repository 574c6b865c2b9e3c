import { setTimeout as sleep } from 'node:timers/promises';
import { InventoryService } from '@acme/gen/inventory/v1/inventory_service_pb';
import { OrderService } from '@acme/gen/orders/v1/order_service_pb';
import { methodPath } from '@acme/rpc/contract';
import { Code } from '@acme/rpc/errors';
import { type Attack, type AttackContext, attackerSubject, scopesOf } from '../attack/attack.ts';
import { connectGrpc, type OpenCall, requestOf } from '../wire/grpc-calls.ts';

const ttlSeconds = 3;
/** A replica tolerates a clock skew of some seconds. */
const toleranceMs = 7000;

/** Streams that outlive the token they were opened with. */
export const outlivedToken: readonly Attack[] = [
  {
    name: 'outlived-token',
    sends: 'CountStock, WatchStock and WatchOrders with a token of 3 s, used for longer',
    service: 'inventory',
    prepare: async ({ cluster }) => [
      await cluster.token(attackerSubject, scopesOf.inventory, ttlSeconds),
      await cluster.token(attackerSubject, scopesOf.orders, ttlSeconds),
    ],
    run: outliveToken,
  },
];

async function outliveToken({ ports, prepared, expect }: AttackContext): Promise<void> {
  const [inventoryToken, ordersToken] = prepared;
  const { countStock, watchStock } = InventoryService.method;
  const { watchOrders } = OrderService.method;
  const inventory = connectGrpc(ports.inventory);
  const orders = connectGrpc(ports.orders);
  const count = requestOf(countStock, { sku: 'none', counted: 1n });
  const counting = inventory.call(methodPath(countStock), count, { token: inventoryToken, ends: false });
  const timer = setInterval(() => {
    if (counting.stream?.writable) counting.stream.write(count);
  }, 100);
  const streams: Record<string, OpenCall> = {
    CountStock: counting,
    WatchStock: inventory.call(methodPath(watchStock), requestOf(watchStock, {}), { token: inventoryToken }),
    WatchOrders: orders.call(methodPath(watchOrders), requestOf(watchOrders, {}), { token: ordersToken }),
  };
  await Promise.all(
    Object.entries(streams).map(async ([name, { answered }]) => {
      const answer = await Promise.race([answered, sleep(ttlSeconds * 1000 + toleranceMs)]);
      expect(
        answer?.code === Code.UNAUTHENTICATED,
        answer
          ? `${name} ended with ${answer.code} ${answer.message}, not UNAUTHENTICATED`
          : `${name} was still open ${toleranceMs / 1000} s after its token had expired`,
      );
    }),
  );
  clearInterval(timer);
}
