import {
  type BatchReserveStockResponse_Result,
  InventoryService,
} from '@acme/gen/inventory/v1/inventory_service_pb';
import { type CircuitBreaker, type Client, createCallBatcher } from '@acme/rpc/client';
import { Code, fromItemStatus, RpcError } from '@acme/rpc/errors';
import {
  BadRequestSchema,
  ErrorInfoSchema,
  PreconditionFailureSchema,
  ResourceInfoSchema,
} from '@acme/rpc/gen/google/rpc/error_details_pb';
import type { OrderLine } from '../order/order.ts';
import type { Inventory, ReserveOutcome } from './inventory.ts';

/** A reserve for one order. */
interface Reserve {
  readonly orderId: string;
  readonly lines: readonly OrderLine[];
  readonly deadlineMs: number;
}

/** Maximum number of lines of a BatchReserveStock request in total. */
const maxLines = 1000;

/**
 * Returns the client of inventory's gRPC service. Reserves of the same turn of the event loop, such as those of orders
 * that one batch has placed, become one BatchReserveStock call. A single reserve becomes a ReserveStock call.
 *
 * @param circuitBreaker Wraps each reserve and release, so a failed batch counts as one failure per order.
 */
export function createInventoryClient(
  client: Client<typeof InventoryService>,
  circuitBreaker: Pick<CircuitBreaker, 'execute'>,
): Inventory {
  const reserve = createCallBatcher<Reserve, typeof reserved>({
    name: 'reserve-stock',
    run: (reserves) =>
      reserves.length > 1 ? reserveBatch(client, reserves) : reserveSingle(client, reserves),
    sizeOf: ({ lines }) => lines.length,
    maxSize: maxLines,
  });
  return {
    reserve: async (orderId, lines, { deadlineMs }) => {
      try {
        return await circuitBreaker.execute(() => reserve({ orderId, lines, deadlineMs }));
      } catch (error) {
        return failedReserveOutcome(error);
      }
    },
    release: async (orderId) => {
      await circuitBreaker.execute(() => client.releaseStock({ reservationId: orderId }));
    },
  };
}

const reserved = { kind: 'RESERVED' } as const;

async function reserveSingle(client: Client<typeof InventoryService>, [reserve]: readonly Reserve[]) {
  if (reserve) await client.reserveStock(requestOf(reserve), { deadlineMs: reserve.deadlineMs });
  return [reserved];
}

/** Uses the longest of the deadlines. PlaceOrder returns an order with a shorter one as PENDING in the meantime. */
async function reserveBatch(client: Client<typeof InventoryService>, reserves: readonly Reserve[]) {
  const deadlineMs = Math.max(...reserves.map((reserve) => reserve.deadlineMs));
  try {
    const { results } = await client.batchReserveStock({ requests: reserves.map(requestOf) }, { deadlineMs });
    return results.map(resultOf);
  } catch (error) {
    // One invalid order makes the whole batch invalid, and the error does not belong to the others.
    if (!(error instanceof RpcError && error.code === Code.INVALID_ARGUMENT)) throw error;
    return await Promise.all(reserves.map((reserve) => reserveSeparately(client, reserve)));
  }
}

async function reserveSeparately(client: Client<typeof InventoryService>, reserve: Reserve) {
  try {
    await client.reserveStock(requestOf(reserve), { deadlineMs: reserve.deadlineMs });
    return reserved;
  } catch (error) {
    return error instanceof Error ? error : new Error('the reserve failed', { cause: error });
  }
}

function resultOf({ outcome }: BatchReserveStockResponse_Result): typeof reserved | Error {
  switch (outcome.case) {
    case 'reservation':
      return reserved;
    case 'error':
      return fromItemStatus(outcome.value, InventoryService.method.batchReserveStock);
    default:
      return new Error('a result of inventory has neither a reservation nor an error');
  }
}

function requestOf({ orderId, lines }: Reserve) {
  return { reservationId: orderId, lines: [...lines] };
}

const domain = 'inventory.v1';

/** Final outcomes, by the reason in inventory's ErrorInfo. A retry would fail in the same way, so the order is REJECTED. */
const finalReasons: Readonly<Record<string, (error: RpcError) => ReserveOutcome>> = {
  OUT_OF_STOCK: (error) => {
    const violations = error.findDetail(PreconditionFailureSchema)?.violations ?? [];
    const items = violations.map(({ subject, description }) => ({ sku: subject, description }));
    return { kind: 'REJECTED', rejection: { reason: 'OUT_OF_STOCK', items } };
  },
  SKU_NOT_FOUND: (error) => {
    const resources = error.findDetails(ResourceInfoSchema);
    const items = resources.map(({ resourceName, description }) => ({ sku: resourceName, description }));
    return { kind: 'REJECTED', rejection: { reason: 'SKU_NOT_FOUND', items } };
  },
  // Inventory holds a tombstone. A cancelled order stays CANCELLED: settling only changes PENDING orders.
  RESERVATION_RELEASED: () => rejected('RESERVATION_RELEASED'),
  // The reservation under the order's id has other lines, so no earlier attempt at this order made it.
  RESERVATION_ID_REUSED: () => rejected('RESERVATION_ID_REUSED'),
};

/**
 * Returns the outcome of a failed reserve. A reason counts only if it is in the domain `inventory.v1`.
 *
 * Every error that is not final is UNKNOWN: the order stays PENDING and the settler retries. This includes
 * UNAUTHENTICATED and PERMISSION_DENIED: the order is valid, and the operator has to repair the credentials of orders.
 */
function failedReserveOutcome(error: unknown): ReserveOutcome {
  const unknown: ReserveOutcome = { kind: 'UNKNOWN', cause: error };
  if (!(error instanceof RpcError)) return unknown;
  // Final only with the violations that the contract documents. An earlier attempt may have reserved.
  if (error.code === Code.INVALID_ARGUMENT && error.findDetail(BadRequestSchema))
    return { ...rejected('RESERVATION_INVALID'), needsRelease: true };
  const info = error.findDetail(ErrorInfoSchema);
  const reason = info?.domain === domain ? info.reason : '';
  return Object.hasOwn(finalReasons, reason) ? (finalReasons[reason]?.(error) ?? unknown) : unknown;
}

function rejected(reason: 'RESERVATION_RELEASED' | 'RESERVATION_ID_REUSED' | 'RESERVATION_INVALID') {
  return { kind: 'REJECTED', rejection: { reason, items: [] } } as const;
}
