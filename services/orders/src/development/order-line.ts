import { type Order, Order_State } from '@acme/gen/orders/v1/order_pb';
import { timestampDate } from '@bufbuild/protobuf/wkt';

/** Formats a response of WatchOrders as one line. Returns undefined for a heartbeat. */
export function orderLine(response: unknown): string | undefined {
  const { order } = response as { order?: Order };
  if (!order) return undefined;
  const { updateTime, id, customerId, state, rejectReason, lines } = order;
  const items = lines.slice(0, 3).map(({ sku, quantity }) => `${quantity} × ${sku}`);
  const more = lines.length > 3 ? [`and ${lines.length - 3} more`] : [];
  const [name] = Object.entries(Order_State).find(([, number]) => number === state) ?? [String(state)];
  const time = updateTime ? timestampDate(updateTime).toISOString().slice(11, 23) : '';
  return [time, id, name.padEnd(9), customerId, [...items, ...more].join(', '), rejectReason]
    .filter((part) => part !== '')
    .join('  ');
}
