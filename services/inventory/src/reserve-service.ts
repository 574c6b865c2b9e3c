import type { InventoryService, ReserveStockRequest } from '@acme/gen/inventory/v1/inventory_service_pb';
import { toItemStatus, toRpcError } from '@acme/rpc/errors';
import type { ServiceImplementation } from '@acme/rpc/server';
import { toStatus } from './error-map.ts';
import type { ReservationStore } from './stock/reservation-store.ts';
import { InventoryError, type Reservation, requireReserved, sortedLines } from './stock/stock.ts';
import { reservationToProto } from './stock-proto.ts';

/** Maximum number of lines of a batch: as many as an order may have. */
const maxLines = 1000;

type Handlers = Pick<ServiceImplementation<typeof InventoryService>, 'reserveStock' | 'batchReserveStock'>;

/** Returns the handlers that reserve stock, for one order or for a batch of orders. */
export function createReserveHandlers({ reserve }: ReservationStore): Handlers {
  const reserveOne = async ({ reservationId, lines }: ReserveStockRequest): Promise<Reservation> => {
    const command = { id: reservationId.toLowerCase(), lines: sortedLines(lines) };
    return requireReserved(await reserve(command), command.lines);
  };
  return {
    reserveStock: async (request) => ({ reservation: reservationToProto(await reserveOne(request)) }),
    batchReserveStock: async ({ requests }, { log }) => {
      limitLines(requests);
      const outcomes = await Promise.allSettled(requests.map(reserveOne));
      const failed = outcomes.flatMap((outcome, index) =>
        isUnexpected(outcome)
          ? [{ err: outcome.reason, reservation_id: requests[index]?.reservationId }]
          : [],
      );
      // If all requests failed unexpectedly, the call fails, and the client retries it.
      if (failed.length === outcomes.length) throw failed[0]?.err;
      for (const failure of failed) log.error(failure, 'one reservation of a batch failed');
      return { results: outcomes.map(resultOf) };
    },
  };
}

function limitLines(requests: readonly ReserveStockRequest[]): void {
  const count = requests.reduce((sum, { lines }) => sum + lines.length, 0);
  if (count <= maxLines) return;
  const description = `must have at most ${maxLines} lines in total, and have ${count}`;
  throw new InventoryError({ kind: 'BAD_REQUEST', violations: [{ field: 'requests', description }] });
}

function isUnexpected(outcome: PromiseSettledResult<Reservation>): outcome is PromiseRejectedResult {
  return outcome.status === 'rejected' && !(outcome.reason instanceof InventoryError);
}

function resultOf(outcome: PromiseSettledResult<Reservation>) {
  return outcome.status === 'fulfilled'
    ? { outcome: { case: 'reservation' as const, value: reservationToProto(outcome.value) } }
    : { outcome: { case: 'error' as const, value: toItemStatus(toRpcError(outcome.reason, toStatus)) } };
}
