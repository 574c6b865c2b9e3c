import type { InventoryService } from '@acme/gen/inventory/v1/inventory_service_pb';
import type { Client } from '@acme/rpc/client';
import { Code, RpcError } from '@acme/rpc/errors';
import type { CancellationStore } from '../order/cancellation-store.ts';
import { etagOf, type Order, OrderError } from '../order/order.ts';
import type { Disagreement } from './disagreement.ts';
import { longestDeadline } from './longest-deadline.ts';

/** Result of handling a disagreement, for the report. */
export interface Mending {
  readonly isMended: boolean;
  readonly text: string;
}

/** Mends a disagreement, once however often it is called. Throws RpcError or a database error for a failure to repeat. */
export type Mend = (disagreement: Disagreement) => Promise<Mending>;

export interface MendDependencies {
  readonly inventory: Client<typeof InventoryService>;
  readonly cancellations: CancellationStore;
}

export function createMend({ inventory, cancellations }: MendDependencies): Mend {
  return async (disagreement) => {
    switch (disagreement.kind) {
      // An id never gets an order later, and these states are final. The release leaves a tombstone.
      case 'ORDER_MISSING':
      case 'ORDER_CLOSED':
        await inventory.releaseStock({ reservationId: disagreement.id }, longestDeadline);
        return mended('released');
      case 'RESERVATION_MISSING':
        return await reserveAgain(inventory, disagreement.order);
      case 'RESERVATION_RELEASED':
        return await cancelAgain(cancellations, disagreement.order);
      case 'RESERVATION_REFUSED':
      case 'RESERVATION_DIFFERS':
        return left('cancel the order');
    }
  };
}

function mended(text: string): Mending {
  return { isMended: true, text };
}

function left(text: string): Mending {
  return { isMended: false, text };
}

/**
 * Reserves the stock of an order whose reservation is lost. A cancel at the same time is safe: its release comes later and
 * returns the stock, or came first and left a tombstone.
 */
async function reserveAgain(inventory: Client<typeof InventoryService>, order: Order): Promise<Mending> {
  const { id, lines } = order;
  try {
    // A refused reserve is final for its id. An order that is short of stock must stay mendable.
    for (const { sku, quantity } of lines) {
      const { stock } = await inventory.getStock({ sku }, longestDeadline);
      const available = stock?.available ?? 0n;
      if (available < quantity) return left(`${quantity} of ${sku} wanted, ${available} available`);
    }
    await inventory.reserveStock({ reservationId: id, lines: [...lines] }, longestDeadline);
    return mended('reserved again');
  } catch (error) {
    if (!(error instanceof RpcError)) throw error;
    // A customer got the units after the look, and the refusal is final.
    if (error.code === Code.FAILED_PRECONDITION) return left(`${error.message}: cancel the order`);
    if (error.code === Code.NOT_FOUND) return left(error.message);
    throw error;
  }
}

/** Cancels an order whose cancel is lost, unless it has changed since it was read. */
async function cancelAgain(cancellations: CancellationStore, order: Order): Promise<Mending> {
  try {
    await cancellations.cancel(order.id, undefined, etagOf(order), new AbortController().signal);
    return mended('cancelled again');
  } catch (error) {
    if (!(error instanceof OrderError && error.problem.kind === 'ETAG_MISMATCH')) throw error;
    return left('it has changed meanwhile');
  }
}
