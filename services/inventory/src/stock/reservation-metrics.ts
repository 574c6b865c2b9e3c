import { metrics } from '@opentelemetry/api';
import type { Reservation } from './stock.ts';

/** Hears of every change of a reservation's state, once it is committed. */
export type OnTransition = (reservation: Pick<Reservation, 'state' | 'refusal'>) => void;

/** Counts reservations by the state that they came to be in, and refused ones by the reason. Never by SKU. */
export function countTransitions(): OnTransition {
  const reservations = metrics.getMeter('@acme/inventory').createCounter('inventory.reservations', {
    unit: '{reservation}',
    description: 'Reservations that came to be in a state.',
  });
  return ({ state, refusal }) =>
    reservations.add(1, {
      'reservation.state': state,
      ...(state === 'REFUSED' && { 'reservation.refusal_reason': refusal?.reason }),
    });
}
