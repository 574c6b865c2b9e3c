import type { Order } from '@acme/gen/orders/v1/order_pb';
import { timestampMs } from '@bufbuild/protobuf/wkt';
import { type KnownOrder, type OrderState, stateOf } from '../data/known-orders.ts';

export interface OrderEvent {
  readonly state: OrderState;
  readonly atMs: number;
}

/**
 * Returns the changes of an order, the oldest first: its placing, those that the page has watched, and its last one. Each state occurs
 * once.
 */
export function eventsOf(order: Order, known: KnownOrder | undefined): readonly OrderEvent[] {
  const events = new Map<OrderState, number>();
  if (order.createTime) events.set('pending', timestampMs(order.createTime));
  for (const { state, atMs } of known?.changes ?? []) if (!events.has(state)) events.set(state, atMs);
  const state = stateOf(order.state);
  if (order.updateTime && !events.has(state)) events.set(state, timestampMs(order.updateTime));
  return [...events].map(([each, atMs]) => ({ state: each, atMs }));
}
