import { Reservation_State, type ReservationSchema, type StockSchema } from '@acme/gen/inventory/v1/stock_pb';
import type { MessageFields } from '@acme/rpc/contract';
import { timestampFromDate } from '@bufbuild/protobuf/wkt';
import type { ListedReservation, Reservation, Stock } from './stock/stock.ts';

export function stockToProto({
  sku,
  title,
  onHand,
  reserved,
  version,
  updateTime,
}: Stock): MessageFields<typeof StockSchema> {
  return {
    sku,
    title,
    onHand,
    reserved,
    available: onHand - reserved,
    updateTime: timestampFromDate(updateTime),
    etag: String(version),
  };
}

const stateToProto: Readonly<Record<Reservation['state'], Reservation_State>> = {
  RESERVED: Reservation_State.RESERVED,
  RELEASED: Reservation_State.RELEASED,
  REFUSED: Reservation_State.REFUSED,
};

export function reservationToProto({
  id,
  state,
  lines,
  createTime,
}: ListedReservation): MessageFields<typeof ReservationSchema> {
  return { id, state: stateToProto[state], lines: [...lines], createTime: timestampFromDate(createTime) };
}
