import { Reservation_State } from '@acme/gen/inventory/v1/stock_pb';
import { timestampFromDate } from '@bufbuild/protobuf/wkt';
import type { Reservation, Stock } from './stock/stock.ts';

export function stockToProto({ sku, title, onHand, reserved, version, updateTime }: Stock) {
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

const protoStates = {
  RESERVED: Reservation_State.RESERVED,
  RELEASED: Reservation_State.RELEASED,
  // Its caller gets the refusal as an error, and never sees the reservation.
  REFUSED: Reservation_State.UNSPECIFIED,
};

/** A reservation as the contract has it. */
export function reservationToProto({ id, state, lines, createTime }: Reservation) {
  return { id, state: protoStates[state], lines: [...lines], createTime: timestampFromDate(createTime) };
}
