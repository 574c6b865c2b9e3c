import { metrics } from '@opentelemetry/api';
import type { Reservation } from './stock.ts';

/** Called after each committed change of a reservation's state. */
export type OnTransition = (reservation: Pick<Reservation, 'state' | 'refusal'>) => void;

/** Returns a callback that counts transitions by state, and refusals by reason. Not by SKU, to limit cardinality. */
export function createReservationCounter(): OnTransition {
  const reservations = metrics.getMeter('@acme/inventory').createCounter('inventory.reservations', {
    unit: '{reservation}',
    description: 'Reservations that entered a state.',
  });
  return ({ state, refusal }) =>
    reservations.add(1, {
      'reservation.state': state,
      ...(state === 'REFUSED' && { 'reservation.reject_reason': refusal?.reason }),
    });
}
