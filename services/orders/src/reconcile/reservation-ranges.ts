import type { InventoryService } from '@acme/gen/inventory/v1/inventory_service_pb';
import { type Reservation, Reservation_State } from '@acme/gen/inventory/v1/stock_pb';
import type { Client } from '@acme/rpc/client';
import { timestampDate } from '@bufbuild/protobuf/wkt';
import type { ComparedReservation } from './disagreement.ts';
import type { ComparedDatabases } from './find-disagreements.ts';
import { longestDeadline } from './longest-deadline.ts';

/** The maximum of ListReservations. */
const maxReservations = 1000;

/** Returns the reservations of a range of ids, a page of ListReservations at a time. */
export function createReservationRanges(
  inventory: Client<typeof InventoryService>,
): ComparedDatabases['reservations'] {
  return async ({ after, until }) => {
    const request = { pageSize: maxReservations, afterId: after, untilId: until };
    const { reservations, nextPageToken } = await inventory.listReservations(request, longestDeadline);
    return { items: reservations.map(fromProto), hasMore: nextPageToken !== '' };
  };
}

const states: Readonly<Record<Reservation_State, ComparedReservation['state'] | undefined>> = {
  [Reservation_State.UNSPECIFIED]: undefined,
  [Reservation_State.RESERVED]: 'RESERVED',
  [Reservation_State.RELEASED]: 'RELEASED',
  [Reservation_State.REFUSED]: 'REFUSED',
};

/** Throws Error for a state that this version does not know. */
function fromProto({ id, state, lines, createTime }: Reservation): ComparedReservation {
  const known = states[state];
  if (!known || !createTime)
    throw new Error(`reservation ${id} has the state ${state}, which this version does not know`);
  return { id, state: known, lines, createTime: timestampDate(createTime) };
}
