import type { ServiceEntry } from '@acme/dev/services';
import { InventoryService } from '@acme/gen/inventory/v1/inventory_service_pb';
import { OrderService } from '@acme/gen/orders/v1/order_service_pb';
import { importCatalogue } from '@acme/inventory/development/catalogue';
import { stockLine } from '@acme/inventory/development/stock-line';
import { orderLine } from '@acme/orders/development/order-line';

export { /** @public */ console } from '@acme/lab/console';

/**
 * Every service of this repository, each after those that it calls. `npm run new:service` adds to it.
 *
 * @public
 */
export const services: readonly ServiceEntry[] = [
  {
    name: 'inventory',
    descriptor: InventoryService,
    port: 50052,
    webPort: 8052,
    metricsPort: 9465,
    calls: {},
    seed: async (access) => `a catalogue of ${await importCatalogue(access)} items`,
    watches: {
      stock: { method: 'WatchStock', options: { sku: { field: 'skus', repeated: true } }, line: stockLine },
    },
    examples: [{ method: 'GetStock', request: { sku: 'SAT-0001' } }],
  },
  {
    name: 'orders',
    descriptor: OrderService,
    port: 50051,
    webPort: 8051,
    metricsPort: 9464,
    calls: { inventory: ['inventory:read', 'inventory:reconcile', 'inventory:reserve'] },
    watches: {
      orders: {
        method: 'WatchOrders',
        options: { customer: { field: 'customerId', scope: 'orders:read:any' } },
        line: orderLine,
      },
    },
    examples: [
      {
        method: 'PlaceOrder',
        request: {
          request_id: crypto.randomUUID(),
          lines: [
            { sku: 'SAT-0001', quantity: 2 },
            { sku: 'SAT-0042', quantity: 1 },
          ],
        },
      },
      { method: 'ListOrders', request: { page_size: 5 } },
    ],
  },
];
