import { fingerprintOf, type Order, type OrderLine } from '../order/order.ts';

/** An order, and whether the settler has work left for it. */
export interface ComparedOrder extends Order {
  readonly isSettled: boolean;
}

/** A reservation of inventory. */
export interface ComparedReservation {
  readonly id: string;
  readonly state: 'RESERVED' | 'RELEASED' | 'REFUSED';
  readonly lines: readonly OrderLine[];
  readonly createTime: Date;
}

/** A disagreement of the two databases about the order and the reservation with this id. */
export type Disagreement =
  /** A live reservation has no order: orders has lost it. */
  | { readonly kind: 'ORDER_MISSING'; readonly id: string }
  | { readonly kind: OrderDisagreement; readonly id: string; readonly order: Order };

type OrderDisagreement =
  /** A CANCELLED or REJECTED order has a live reservation: inventory has lost its release. */
  | 'ORDER_CLOSED'
  /** A CONFIRMED order has no reservation: inventory has lost it. */
  | 'RESERVATION_MISSING'
  /** A CONFIRMED order has a released reservation: orders has lost its cancel, because nothing else releases stock. */
  | 'RESERVATION_RELEASED'
  /** A CONFIRMED order has a refused reservation: inventory had lost it, and refused to reserve again. */
  | 'RESERVATION_REFUSED'
  /** A CONFIRMED order has a live reservation with other lines. */
  | 'RESERVATION_DIFFERS';

/** Returns how the databases disagree about an id. Orders that are PENDING or not undone yet are the settler's. */
export function disagreementOf(
  order: ComparedOrder | undefined,
  reservation: ComparedReservation | undefined,
): Disagreement | undefined {
  const isLive = reservation?.state === 'RESERVED';
  if (!order) return isLive ? { kind: 'ORDER_MISSING', id: reservation.id } : undefined;
  if (!order.isSettled) return undefined;
  const about = (kind: OrderDisagreement): Disagreement => ({ kind, id: order.id, order });
  if (order.state !== 'CONFIRMED') return isLive ? about('ORDER_CLOSED') : undefined;
  switch (reservation?.state) {
    case undefined:
      return about('RESERVATION_MISSING');
    case 'RELEASED':
      return about('RESERVATION_RELEASED');
    case 'REFUSED':
      return about('RESERVATION_REFUSED');
    case 'RESERVED':
      return hasLines(reservation, order) ? undefined : about('RESERVATION_DIFFERS');
  }
}

function hasLines(reservation: ComparedReservation, order: Order): boolean {
  return fingerprintOf(reservation.lines).equals(fingerprintOf(order.lines));
}
