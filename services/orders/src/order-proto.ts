import { Order_State, type OrderSchema } from '@acme/gen/orders/v1/order_pb';
import type { MessageFields } from '@acme/rpc/contract';
import { timestampFromDate } from '@bufbuild/protobuf/wkt';
import { etagOf, type Order, type OrderState } from './order/order.ts';

const stateToProto: Readonly<Record<OrderState, Order_State>> = {
  PENDING: Order_State.PENDING,
  CONFIRMED: Order_State.CONFIRMED,
  REJECTED: Order_State.REJECTED,
  CANCELLED: Order_State.CANCELLED,
};

export const stateFromProto: Readonly<Record<Order_State, OrderState | undefined>> = {
  [Order_State.UNSPECIFIED]: undefined,
  [Order_State.PENDING]: 'PENDING',
  [Order_State.CONFIRMED]: 'CONFIRMED',
  [Order_State.REJECTED]: 'REJECTED',
  [Order_State.CANCELLED]: 'CANCELLED',
};

export function toProto(order: Order): MessageFields<typeof OrderSchema> {
  return {
    id: order.id,
    customerId: order.customerId,
    lines: [...order.lines],
    state: stateToProto[order.state],
    etag: etagOf(order),
    createTime: timestampFromDate(order.createTime),
    updateTime: timestampFromDate(order.updateTime),
    rejectReason: order.rejection?.reason ?? '',
  };
}
