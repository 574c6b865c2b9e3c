import {
  ErrorInfoSchema,
  PreconditionFailureSchema,
  ResourceInfoSchema,
} from '@acme/gen/google/rpc/error_details_pb';
import type { InventoryService } from '@acme/gen/inventory/v1/inventory_service_pb';
import type { Client } from '@acme/rpc/client/create-client';
import { RpcError } from '@acme/rpc/errors';
import type { Inventory, ReserveAnswer } from './inventory.ts';

/** Inventory behind its gRPC service. */
export function createInventory(client: Client<typeof InventoryService>): Inventory {
  return {
    reserve: async (orderId, lines, { deadlineMs }) => {
      try {
        await client.reserveStock({ reservationId: orderId, lines: [...lines] }, { deadlineMs });
        return { kind: 'RESERVED' };
      } catch (error) {
        return answerOf(error);
      }
    },
    release: async (orderId) => {
      await client.releaseStock({ reservationId: orderId });
    },
  };
}

/** Only a reason that the contract promises is an answer; whatever else happened, nobody knows what inventory did. */
function answerOf(error: unknown): ReserveAnswer {
  if (!(error instanceof RpcError)) return { kind: 'UNKNOWN', cause: error };
  const reason = error.detail(ErrorInfoSchema)?.reason;
  switch (reason) {
    case 'OUT_OF_STOCK': {
      const violations = error.detail(PreconditionFailureSchema)?.violations ?? [];
      const items = violations.map(({ subject, description }) => ({ sku: subject, description }));
      return { kind: 'REFUSED', rejection: { reason, items } };
    }
    case 'SKU_NOT_FOUND': {
      const resources = error.detailsOf(ResourceInfoSchema);
      const items = resources.map(({ resourceName, description }) => ({ sku: resourceName, description }));
      return { kind: 'REFUSED', rejection: { reason, items } };
    }
    case 'RESERVATION_RELEASED':
      return { kind: 'RELEASED' };
    default:
      return { kind: 'UNKNOWN', cause: error };
  }
}
