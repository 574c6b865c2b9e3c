import { InventoryService } from '@acme/gen/inventory/v1/inventory_service_pb';
import { Server, ServerCredentials, type ServerOptions } from '@grpc/grpc-js';
import type { ServiceImplementation } from '../../call/handler.ts';
import { createHeldBytes } from '../../grpc-js/messages/held-bytes.ts';
import { addService } from '../../grpc-js/service.ts';
import { createUnflushedCalls } from '../../grpc-js/sessions/unflushed-calls.ts';
import { serverBounds } from '../../limits/server-limits.ts';
import { createLogger } from '../../logging/log.ts';

export type Inventory = ServiceImplementation<typeof InventoryService>;

export interface ReplicaOptions {
  /** The port to listen on; a free one when absent. */
  readonly port?: number;
  /** What is other than every server's bounds: an age of connections that a test can wait for. */
  readonly bounds?: ServerOptions;
}

export interface Replica extends AsyncDisposable {
  readonly port: number;
}

/** One of several servers of inventory, with nothing between the client and its handlers but the bridge. */
export async function startReplica(
  implementation: Partial<Inventory>,
  { port = 0, bounds = {} }: ReplicaOptions = {},
): Promise<Replica> {
  const server = new Server({ ...serverBounds, ...bounds });
  const missing = async () => {
    throw new Error('the test does not serve this method');
  };
  const methods = Object.fromEntries(InventoryService.methods.map(({ localName }) => [localName, missing]));
  addService(server, InventoryService, { ...methods, ...implementation } as Inventory, [], {
    log: createLogger({ service: 'replica', level: 'silent' }),
    newRequestId: () => 'request-1',
    held: createHeldBytes(),
    unflushed: createUnflushedCalls(),
  });
  const bound = await new Promise<number>((resolve, reject) => {
    server.bindAsync(`127.0.0.1:${port}`, ServerCredentials.createInsecure(), (error, port) =>
      error ? reject(error) : resolve(port),
    );
  });
  return { port: bound, [Symbol.asyncDispose]: async () => server.forceShutdown() };
}

/** Answers GetStock with a name, by which tests know who has answered. */
export function answeringAs(name: string, delayMs = 0): Partial<Inventory> {
  return {
    getStock: async ({ sku }) => {
      if (delayMs > 0) await new Promise((resolve) => setTimeout(resolve, delayMs));
      return { stock: { sku, title: name } };
    },
  };
}
