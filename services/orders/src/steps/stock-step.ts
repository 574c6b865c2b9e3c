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
import type { OrderLine, Rejection, RejectReason } from '../order/order.ts';
import type { Step, StepOutcome } from './step.ts';

/** A reserve for one order. */
interface Reserve {
  readonly orderId: string;
  readonly lines: readonly OrderLine[];
  readonly deadlineMs: number;
}

/** Maximum number of lines of a BatchReserveStock request in total. */
const maxLines = 1000;

export interface StockStepDependencies {
  readonly client: Client<typeof InventoryService>;
  /** Wraps each reserve and release, so a failed batch counts as one failure per order. */
  readonly circuitBreaker: Pick<CircuitBreaker, 'state' | 'execute'>;
}

/**
 * Returns the step that reserves the stock of an order in inventory: all lines or none. Reserves of the same turn of the
 * event loop, such as those of orders that one batch has placed, become one BatchReserveStock call. A single reserve becomes
 * a ReserveStock call.
 */
export function createStockStep({ client, circuitBreaker }: StockStepDependencies): Step {
  const reserve = createCallBatcher<Reserve, typeof reserved>({
    name: 'reserve-stock',
    run: (reserves) =>
      reserves.length > 1 ? reserveBatch(client, reserves) : reserveSingle(client, reserves),
    sizeOf: ({ lines }) => lines.length,
    maxSize: maxLines,
  });
  return {
    name: 'stock',
    do: async ({ id: orderId, lines }, { deadlineMs }) => {
      try {
        return await circuitBreaker.execute(() => reserve({ orderId, lines, deadlineMs }));
      } catch (error) {
        return failedReserveOutcome(error);
      }
    },
    undo: async ({ id, rejection }) => {
      if (rejection && withoutReservation.has(rejection.reason)) return;
      await circuitBreaker.execute(() => client.releaseStock({ reservationId: id }));
    },
    circuitState: circuitBreaker.state,
  };
}

const reserved = { kind: 'DONE' } as const;

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
const finalReasons: Readonly<Record<string, (error: RpcError) => StepOutcome>> = {
  OUT_OF_STOCK: (error) => {
    const violations = error.findDetail(PreconditionFailureSchema)?.violations ?? [];
    return refused(
      'OUT_OF_STOCK',
      violations.map(({ subject, description }) => ({ sku: subject, description })),
    );
  },
  SKU_NOT_FOUND: (error) => {
    const resources = error.findDetails(ResourceInfoSchema);
    return refused(
      'SKU_NOT_FOUND',
      resources.map(({ resourceName, description }) => ({ sku: resourceName, description })),
    );
  },
  // Inventory holds a tombstone. A cancelled order stays CANCELLED: settling only changes PENDING orders.
  RESERVATION_RELEASED: () => ({ ...refused('RESERVATION_RELEASED'), mayBeDone: true }),
  // The reservation under the order's id has other lines, so no earlier attempt at this order made it.
  RESERVATION_ID_REUSED: () => refused('RESERVATION_ID_REUSED'),
};

/** Reasons with which inventory holds no stock of the order. A release would return the stock of another reservation. */
const withoutReservation: ReadonlySet<RejectReason> = new Set([
  'OUT_OF_STOCK',
  'SKU_NOT_FOUND',
  'RESERVATION_ID_REUSED',
]);

/**
 * Returns the outcome of a failed reserve. A reason counts only if it is in the domain `inventory.v1`.
 *
 * Every error that is not final is UNKNOWN: the order stays PENDING and the settler retries. This includes
 * UNAUTHENTICATED and PERMISSION_DENIED: the order is valid, and the operator has to repair the credentials of orders.
 */
function failedReserveOutcome(error: unknown): StepOutcome {
  const unknown: StepOutcome = { kind: 'UNKNOWN', cause: error };
  if (!(error instanceof RpcError)) return unknown;
  // Final only with the violations that the contract documents. An earlier attempt may have reserved.
  if (error.code === Code.INVALID_ARGUMENT && error.findDetail(BadRequestSchema))
    return { ...refused('RESERVATION_INVALID'), mayBeDone: true };
  const info = error.findDetail(ErrorInfoSchema);
  const reason = info?.domain === domain ? info.reason : '';
  return Object.hasOwn(finalReasons, reason) ? (finalReasons[reason]?.(error) ?? unknown) : unknown;
}

function refused(reason: RejectReason, items: Rejection['items'] = []) {
  return { kind: 'REFUSED', rejection: { reason, items } } as const;
}
