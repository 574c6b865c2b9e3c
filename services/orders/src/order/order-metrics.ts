import { metrics } from '@opentelemetry/api';
import type { Order } from './order.ts';

/** Called after each committed change of an order's state. */
export type OnTransition = (order: Pick<Order, 'state' | 'rejection'>) => void;

/** Returns a callback that counts transitions by state, and rejections by reason. */
export function createOrderCounter(): OnTransition {
  const transitions = metrics.getMeter('@acme/orders').createCounter('orders.transitions', {
    unit: '{order}',
    description: 'Orders that entered a state.',
  });
  return ({ state, rejection }) =>
    transitions.add(1, {
      'order.state': state,
      ...(rejection && { 'order.reject_reason': rejection.reason }),
    });
}
