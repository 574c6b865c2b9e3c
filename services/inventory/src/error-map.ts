import { databaseStatus } from '@acme/postgres/errors';
import {
  Code,
  errorInfo,
  invalidArgument,
  preconditionFailure,
  RpcError,
  resourceInfo,
} from '@acme/rpc/errors';
import { InventoryError, type InventoryProblem, type Refusal } from './stock/stock.ts';

const domain = 'inventory.v1';

/** Returns the status of an error, or undefined for an unknown error. inventory_service.proto documents the statuses. */
export function toStatus(error: unknown): RpcError | undefined {
  return error instanceof InventoryError ? problemStatus(error.problem) : databaseStatus(error);
}

function problemStatus(problem: InventoryProblem): RpcError {
  switch (problem.kind) {
    case 'SKU_NOT_FOUND':
      return refusalStatus({
        reason: 'SKU_NOT_FOUND',
        items: [{ sku: problem.sku, description: `there is no SKU ${problem.sku}` }],
      });
    case 'REFUSED':
      return refusalStatus(problem.refusal);
    case 'RESERVATION_RELEASED':
      return new RpcError(
        Code.FAILED_PRECONDITION,
        `reservation ${problem.reservationId} has been released and cannot be made again`,
        { details: [errorInfo(domain, problem.kind, { reservation_id: problem.reservationId })] },
      );
    case 'RESERVATION_ID_REUSED':
      return new RpcError(
        Code.FAILED_PRECONDITION,
        `reservation ${problem.reservationId} holds other lines: use a new reservation_id`,
        { details: [errorInfo(domain, problem.kind, { reservation_id: problem.reservationId })] },
      );
    case 'ON_HAND_BELOW_RESERVED':
      return new RpcError(
        Code.FAILED_PRECONDITION,
        `more units of ${summaryOf(problem.items)} are reserved than would be on hand; nothing was imported`,
        {
          details: [
            errorInfo(domain, problem.kind),
            preconditionFailure(problem.items.map((item) => violation(problem.kind, item))),
          ],
        },
      );
    case 'IMPORT_ID_REUSED':
      return new RpcError(
        Code.FAILED_PRECONDITION,
        `import ${problem.importId} had ${problem.received} rows: use a new import_id`,
        { details: [errorInfo(domain, problem.kind, { import_id: problem.importId })] },
      );
    case 'IMPORT_INCOMPLETE':
      return new RpcError(
        Code.ABORTED,
        `the import has ${problem.received} rows instead of ${problem.expected}; nothing was imported`,
        { details: [errorInfo(domain, problem.kind)] },
      );
    case 'BAD_REQUEST':
      return invalidArgument(problem.violations);
  }
}

function refusalStatus({ reason, items }: Refusal): RpcError {
  return reason === 'OUT_OF_STOCK'
    ? new RpcError(Code.FAILED_PRECONDITION, `there is not enough stock of ${summaryOf(items)}`, {
        details: [
          errorInfo(domain, reason),
          preconditionFailure(items.map((item) => violation(reason, item))),
        ],
      })
    : new RpcError(Code.NOT_FOUND, `there is no SKU ${summaryOf(items)}`, {
        details: [
          errorInfo(domain, reason),
          ...items.map(({ sku }) => resourceInfo('inventory.v1/Stock', sku)),
        ],
      });
}

function violation(type: string, { sku, description }: { sku: string; description: string }) {
  return { type, subject: sku, description };
}

/** Returns the first SKU and the number of others. */
function summaryOf(items: readonly { sku: string }[]): string {
  const more = items.length > 1 ? ` and ${items.length - 1} more` : '';
  return `${items[0]?.sku}${more}`;
}
