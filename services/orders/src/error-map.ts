import { databaseStatus } from '@acme/postgres/errors';
import {
  Code,
  errorInfo,
  invalidArgument,
  preconditionFailure,
  RpcError,
  resourceInfo,
  retryInfo,
} from '@acme/rpc/errors';
import { type Order, OrderError, type OrderProblem, type Rejection } from './order/order.ts';

const domain = 'orders.v1';
/** Delay after which a request whose order was lost is worth repeating. */
const lostRetryMs = 500;

/** Returns the status of an error, or undefined for an unknown error. order_service.proto documents the statuses. */
export function toStatus(error: unknown): RpcError | undefined {
  return error instanceof OrderError ? problemStatus(error.problem) : databaseStatus(error);
}

function problemStatus(problem: OrderProblem): RpcError {
  switch (problem.kind) {
    case 'ORDER_NOT_FOUND':
      return new RpcError(Code.NOT_FOUND, `there is no order ${problem.id}`, {
        details: [errorInfo(domain, problem.kind), resourceInfo('orders.v1/Order', problem.id)],
      });
    case 'REJECTED':
      return rejectedStatus(problem.order, problem.rejection);
    case 'REQUEST_ID_REUSED':
      return new RpcError(
        Code.FAILED_PRECONDITION,
        `request_id ${problem.requestId} was used for an order with other lines: use a new request_id`,
        { details: [errorInfo(domain, problem.kind, { order_id: problem.orderId })] },
      );
    case 'ORDER_REJECTED':
      return new RpcError(
        Code.FAILED_PRECONDITION,
        `order ${problem.id} was rejected and cannot be cancelled`,
        {
          details: [errorInfo(domain, problem.kind, { order_id: problem.id })],
        },
      );
    case 'ETAG_MISMATCH':
      return new RpcError(Code.ABORTED, `order ${problem.id} has changed: read it again`, {
        details: [errorInfo(domain, problem.kind, { order_id: problem.id })],
      });
    case 'ORDER_LOST':
      return new RpcError(
        Code.UNAVAILABLE,
        `order ${problem.id} was lost in a failover: repeat the request`,
        {
          details: [retryInfo(lostRetryMs)],
        },
      );
    case 'BAD_REQUEST':
      return invalidArgument(problem.violations);
  }
}

/** The ErrorInfo names the order, which is stored as REJECTED. */
function rejectedStatus(order: Order, { reason, items }: Rejection): RpcError {
  const info = errorInfo(domain, reason, { order_id: order.id });
  const more = items.length > 1 ? ` and ${items.length - 1} more` : '';
  const first = `${items[0]?.sku}${more}`;
  switch (reason) {
    case 'OUT_OF_STOCK': {
      const violations = items.map(({ sku, description }) => ({ type: reason, subject: sku, description }));
      return new RpcError(Code.FAILED_PRECONDITION, `there is not enough stock of ${first}`, {
        details: [info, preconditionFailure(violations)],
      });
    }
    case 'SKU_NOT_FOUND':
      return new RpcError(Code.NOT_FOUND, `there is no SKU ${first}`, {
        details: [info, ...items.map(({ sku }) => resourceInfo('inventory.v1/Stock', sku))],
      });
    case 'RESERVATION_RELEASED':
    case 'RESERVATION_ID_REUSED':
    case 'RESERVATION_INVALID':
      return new RpcError(Code.FAILED_PRECONDITION, `order ${order.id} ${reservationProblems[reason]}`, {
        details: [info],
      });
  }
}

const reservationProblems = {
  RESERVATION_RELEASED: 'was rejected: its reservation has been released. Place a new order',
  RESERVATION_ID_REUSED: 'was rejected: inventory holds other lines under its id. Place a new order',
  RESERVATION_INVALID: 'was rejected: inventory does not accept its lines',
};
