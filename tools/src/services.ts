import { InventoryService } from '@acme/gen/inventory/v1/inventory_service_pb';
import { OrderService } from '@acme/gen/orders/v1/order_service_pb';
import type { DescService } from '@bufbuild/protobuf';
import { importCatalogue } from './catalogue.ts';
import { type ServicesAccess, targetOf } from './services-access.ts';

export interface ServiceEntry {
  /** Its folder in `services/`, its database and its host. */
  readonly name: string;
  readonly descriptor: DescService;
  /** Where it listens, and where it shows its metrics. */
  readonly port: number;
  readonly metricsPort: number;
  /**
   * The services that it calls, and the scopes of the token that it shows them. It reads their targets from
   * `NAME_TARGET`, and the token from `AUTH_TOKEN_FILE`.
   */
  readonly calls: Readonly<Record<string, readonly string[]>>;
  /** Fills it at the first start; what it says of that. */
  readonly seed?: (access: ServicesAccess) => Promise<string>;
  /** Calls to try it with, as `npm start` prints them. */
  readonly examples: readonly Example[];
}

export interface Example {
  /** As the contract names it: `GetOrder`. */
  readonly method: string;
  readonly request: object;
}

/** Every service of this repository, after those that it calls. `npm run new:service` adds to it. */
export const services: readonly ServiceEntry[] = [
  {
    name: 'inventory',
    descriptor: InventoryService,
    port: 50052,
    metricsPort: 9465,
    calls: {},
    seed: async (access) => {
      const pair = { ...access, inventoryTarget: targetOf(access, 'inventory') };
      return `a catalogue of ${await importCatalogue(pair)} articles`;
    },
    examples: [{ method: 'GetStock', request: { sku: 'SAT-0001' } }],
  },
  {
    name: 'orders',
    descriptor: OrderService,
    port: 50051,
    metricsPort: 9464,
    calls: { inventory: ['inventory:reserve'] },
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
