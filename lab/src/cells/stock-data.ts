import type { ReserveCommand } from '@acme/inventory/stock/reservation-store';
import { allocateUnits, type Reservation, type StockLine } from '@acme/inventory/stock/stock';

interface Item {
  readonly onHand: number;
  reserved: number;
}

/** The database of an inventory cell in memory. Each function is a transaction, as the stores of inventory run it. */
export interface StockData {
  readonly stock: ReadonlyMap<string, Item>;
  readonly reservations: ReadonlyMap<string, Reservation>;
  reserve(command: ReserveCommand): Reservation;
  release(id: string): Reservation;
}

export function openStockData(onHand: Readonly<Record<string, number>>): StockData {
  const stock = new Map<string, Item>(
    Object.entries(onHand).map(([sku, units]) => [sku, { onHand: units, reserved: 0 }]),
  );
  const reservations = new Map<string, Reservation>();
  const store = (reservation: Reservation) => {
    reservations.set(reservation.id, reservation);
    return reservation;
  };
  const changeReserved = (lines: readonly StockLine[], sign: 1 | -1) => {
    for (const { sku, quantity } of lines) {
      const item = stock.get(sku);
      if (item) item.reserved += sign * quantity;
    }
  };
  return {
    stock,
    reservations,
    reserve: ({ id, lines }) => {
      const known = reservations.get(id);
      if (known) return known;
      const available = new Map(
        [...stock].map(([sku, { onHand, reserved }]) => [sku, BigInt(onHand - reserved)]),
      );
      const refusal = allocateUnits(available, lines);
      if (!refusal) changeReserved(lines, 1);
      return store({ id, state: refusal ? 'REFUSED' : 'RESERVED', lines, refusal, createTime: new Date(0) });
    },
    release: (id) => {
      const known = reservations.get(id);
      if (!known)
        return store({ id, state: 'RELEASED', lines: [], refusal: undefined, createTime: new Date(0) });
      if (known.state === 'RESERVED') changeReserved(known.lines, -1);
      return store({ ...known, state: 'RELEASED' });
    },
  };
}
