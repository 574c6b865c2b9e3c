import { OrderService } from '@acme/gen/orders/v1/order_service_pb';
import { watchErrors } from '@acme/postgres/feed';
import { listedReasons, reasonsOf } from '@acme/rpc/testing';
import { expect, test } from 'vitest';
import { toStatus } from './error-map.ts';
import { OrderError, type OrderProblem, pendingOrder, type Rejection } from './order/order.ts';

const id = '0198c0de-0000-7000-8000-000000000001';
const order = pendingOrder({ id, customerId: 'ada', lines: [] }, new Date());
const items = [{ sku: 'SAT-0001', description: '' }];

/** One problem of each kind, except for rejections. */
const problems: { readonly [Kind in Exclude<OrderProblem['kind'], 'REJECTED'>]: OrderProblem } = {
  ORDER_NOT_FOUND: { kind: 'ORDER_NOT_FOUND', id },
  REQUEST_ID_REUSED: { kind: 'REQUEST_ID_REUSED', requestId: id, orderId: id },
  ORDER_REJECTED: { kind: 'ORDER_REJECTED', id },
  ETAG_MISMATCH: { kind: 'ETAG_MISMATCH', id },
  ORDER_LOST: { kind: 'ORDER_LOST', id },
  BAD_REQUEST: { kind: 'BAD_REQUEST', violations: [{ field: 'lines', description: '' }] },
};

/** One rejection of each reason. */
const rejections: { readonly [Reason in Rejection['reason']]: Rejection } = {
  OUT_OF_STOCK: { reason: 'OUT_OF_STOCK', items },
  SKU_NOT_FOUND: { reason: 'SKU_NOT_FOUND', items },
  RESERVATION_RELEASED: { reason: 'RESERVATION_RELEASED', items: [] },
  RESERVATION_ID_REUSED: { reason: 'RESERVATION_ID_REUSED', items: [] },
  RESERVATION_INVALID: { reason: 'RESERVATION_INVALID', items: [] },
};

test('the contract lists the error reasons of the error map and of watches, with their details', () => {
  const rejected = Object.values(rejections).map(
    (rejection): OrderProblem => ({ kind: 'REJECTED', order, rejection }),
  );
  const mapped = [...Object.values(problems), ...rejected].flatMap(
    (problem) => toStatus(new OrderError(problem)) ?? [],
  );
  expect(listedReasons(OrderService)).toEqual(reasonsOf([...mapped, ...watchErrors('orders.v1')]));
});
