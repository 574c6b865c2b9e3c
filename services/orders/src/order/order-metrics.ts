import { metrics } from '@opentelemetry/api';
import type { Order } from './order.ts';

/** Hears of every change of an order's state, once it is committed. */
export type OnTransition = (order: Pick<Order, 'state' | 'rejection'>) => void;

/** Counts orders by the state that they came to be in, and rejected ones by the reason. */
export function countTransitions(): OnTransition {
  const transitions = metrics.getMeter('@acme/orders').createCounter('orders.transitions', {
    unit: '{order}',
    description: 'Orders that came to be in a state.',
  });
  return ({ state, rejection }) =>
    transitions.add(1, {
      'order.state': state,
      ...(rejection && { 'order.reject_reason': rejection.reason }),
    });
}
