import type { InventoryService } from '@acme/gen/inventory/v1/inventory_service_pb';
import type { ServiceImplementation } from '../call/handler.ts';
import type { CallOptions } from '../client/call/call-options.ts';
import type { Client } from '../client/create-client.ts';

export type Inventory = ServiceImplementation<typeof InventoryService>;

type InventoryCall = (client: Client<typeof InventoryService>, options?: CallOptions) => Promise<unknown>;

/** One call of each of the four kinds of RPC; those that are answered with a stream read it to its end. */
export const callsOfEachKind: readonly (readonly [kind: string, call: InventoryCall])[] = [
  ['unary', (client, options) => client.getStock({ sku: 'A' }, options)],
  ['server streaming', (client, options) => Array.fromAsync(client.watchStock({}, options))],
  ['client streaming', (client, options) => client.importStock([{ item: { sku: 'A' } }], options)],
  ['bidi streaming', (client, options) => Array.fromAsync(client.countStock([{ sku: 'A' }], options))],
];

/** The same handler for all four, whatever their types say. */
export function handlerOfEachKind(handler: (...parameters: never[]) => unknown): Partial<Inventory> {
  const any = handler as never;
  return { getStock: any, watchStock: any, importStock: any, countStock: any };
}
