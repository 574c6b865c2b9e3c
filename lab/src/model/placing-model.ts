import { randomUUID, randomUUIDv7 } from 'node:crypto';
import { createReservationStore, type ReservationStore } from '@acme/inventory/stock/reservation-store';
import { InventoryError, requireReserved, sortedLines } from '@acme/inventory/stock/stock';
import type { ReserveOutcome } from '@acme/orders/inventory/inventory';
import { fingerprintOf, type Order, OrderError } from '@acme/orders/order/order';
import { createOrderStore, type OrderStore } from '@acme/orders/order/order-store';
import { createSettleOrder } from '@acme/orders/settling/settle-order';
import { createSettlementStore, type SettlementStore } from '@acme/orders/settling/settlement-store';
import { linesOf } from '@acme/test/support/order-lines';
import fc from 'fast-check';
import {
  type Acknowledgement,
  acknowledgementErrors,
  lostOrders,
  settledErrors,
  stockErrors,
  unsettledOrders,
} from '../harness/invariants.ts';
import type { TwoDatabases } from './service-databases.ts';

/** All that remembers anything. What is between them is the network, and that may do as it likes. */
export interface Stores {
  readonly orders: OrderStore;
  readonly settlements: SettlementStore;
  readonly reservations: ReservationStore;
}

/** One thing that happens; `pick` says to which of those that it may happen to. */
export interface Step {
  readonly kind: 'place' | 'cancel' | 'deliver' | 'repeat' | 'lose' | 'settle' | 'wait';
  readonly pick: number;
}

/** Anything that can happen to a few orders, in any order. */
export const anySteps: fc.Arbitrary<Step[]> = fc.array(
  fc.record({
    kind: fc.constantFrom<Step['kind'][]>(
      ...(['place', 'place', 'cancel', 'deliver', 'deliver', 'deliver'] as const),
      ...(['repeat', 'lose', 'settle', 'settle', 'wait'] as const),
    ),
    pick: fc.nat(99),
  }),
  { minLength: 5, maxLength: 30 },
);

export function realStores({ ordersDatabase, inventoryDatabase }: TwoDatabases): Stores {
  const now = () => new Date();
  return {
    orders: createOrderStore(ordersDatabase, { now, settleGraceMs: longMs }),
    settlements: createSettlementStore(ordersDatabase, now),
    reservations: createReservationStore(inventoryDatabase, now),
  };
}

/** Leases end when a step says so, and not before. */
const longMs = 3_600_000;
const stock = { a: 2, b: 1 };
/** What is asked for. The last two come under one request id: that is one order, and a mistake. */
const purchases = [{ a: 1, b: 1 }, { a: 2 }, { a: 1 }, { b: 1 }].map((units, index) => ({
  units,
  key: index % 3,
}));
const customerId = 'alice';

/** On its way between the two services. */
type Message =
  | { readonly kind: 'reserve' | 'release' | 'released'; readonly order: Order }
  | { readonly kind: 'reply'; readonly order: Order; readonly answer: ReserveOutcome };

/** Does the steps, lets everything come to rest, and says what is wrong then, or was on the way; a line each. */
export async function errorsAfter(
  databases: TwoDatabases,
  stores: Stores,
  steps: readonly Step[],
): Promise<string[]> {
  await databases.clear(stock);
  const world = openWorld(stores);
  const errors: string[] = [];
  for (const step of steps) {
    errors.push(...(await world.take(step)), ...(await stockErrors(databases)));
    if (errors.length > 0) return errors;
  }
  await world.rest(databases);
  return [
    ...(await unsettledOrders(databases)),
    ...(await stockErrors(databases)),
    ...(await settledErrors(databases)),
    ...(await lostOrders(databases, world.answers)),
    ...(await acknowledgementErrors(databases, world.answers)),
  ];
}

function openWorld({ orders, settlements, reservations }: Stores) {
  const requestIds = purchases.map(() => randomUUID());
  const placed = new Map<string, Order>();
  const answers: Acknowledgement[] = [];
  const network: Message[] = [];
  /** Orders that somebody works on, and nobody else may be given. */
  const leased = new Set<string>();

  const note = (order: Order, units: Acknowledgement['units'], requestId: string) =>
    answers.push({ customerId, requestId, orderId: order.id, state: order.state, units });
  const place = async (pick: number) => {
    const { units, key } = purchases[pick % purchases.length] ?? { units: {}, key: 0 };
    const requestId = requestIds[key] ?? '';
    const lines = linesOf(units);
    const id = randomUUIDv7();
    try {
      const order = await orders.place({
        id,
        customerId,
        requestId,
        lines,
        fingerprint: fingerprintOf(lines),
      });
      if (order.id === id) leased.add(id);
      placed.set(order.id, order);
      note(order, units, requestId);
      if (order.state === 'PENDING') network.push({ kind: 'reserve', order });
    } catch (error) {
      if (!(error instanceof OrderError && error.problem.kind === 'REQUEST_ID_REUSED')) throw error;
    }
  };
  const cancel = async (pick: number) => {
    const id = [...placed.keys()][pick % placed.size];
    if (!id) return;
    try {
      await orders.cancel(id, undefined, '', new AbortController().signal);
      leased.delete(id);
    } catch (error) {
      if (!(error instanceof OrderError && error.problem.kind === 'ORDER_REJECTED')) throw error;
    }
  };
  const deliver = async (message: Message) => {
    const { order } = message;
    switch (message.kind) {
      case 'reserve':
        network.push({ kind: 'reply', order, answer: await reserve(reservations, order) });
        break;
      case 'reply': {
        const inventory = { reserve: async () => message.answer, release: async () => {} };
        const settle = createSettleOrder({ inventory, store: settlements, onUnsettled: () => {} });
        await settle(order, { deadlineMs: longMs, attempts: 1 });
        break;
      }
      case 'release':
        await reservations.release(order.id);
        network.push({ kind: 'released', order });
        break;
      case 'released':
        await settlements.markReleased(order.id);
    }
  };
  /** A settler takes what is due, and sends what it owes. */
  const settle = async () => {
    const due = await settlements.leaseDue({ limit: 10, leaseMs: longMs });
    const errors = due
      .filter(({ order }) => leased.has(order.id))
      .map(({ order }) => `order ${order.id} was given to a second settler within its lease`);
    for (const { order } of due) {
      leased.add(order.id);
      network.push({ kind: order.state === 'PENDING' ? 'reserve' : 'release', order });
    }
    return errors;
  };
  const deliverAll = async () => {
    for (let message = network.shift(); message; message = network.shift()) await deliver(message);
  };

  return {
    answers,
    take: async ({ kind, pick }: Step): Promise<string[]> => {
      const message = network[pick % network.length];
      if (kind === 'place') await place(pick);
      if (kind === 'cancel') await cancel(pick);
      if (kind === 'settle') return await settle();
      if (kind === 'wait') {
        leased.clear();
        await settlements.expedite();
      }
      if (message && (kind === 'deliver' || kind === 'lose')) network.splice(network.indexOf(message), 1);
      if (message && (kind === 'deliver' || kind === 'repeat')) await deliver(message);
      return [];
    },
    /** The faults end: what is on its way arrives, and settlers do their work until there is none. */
    rest: async (databases: TwoDatabases) => {
      for (let round = 0; round < 5; round++) {
        await deliverAll();
        leased.clear();
        await settlements.expedite();
        await settle();
        if (network.length === 0 && (await unsettledOrders(databases)).length === 0) return;
      }
    },
  };
}

/** What inventory answers, as orders understands it. */
async function reserve(reservations: ReservationStore, { id, lines }: Order): Promise<ReserveOutcome> {
  const command = { id, lines: sortedLines(lines) };
  try {
    requireReserved(await reservations.reserve(command), command.lines);
    return { kind: 'RESERVED' };
  } catch (error) {
    if (!(error instanceof InventoryError)) throw error;
    const { problem } = error;
    if (problem.kind === 'REFUSED') return { kind: 'REFUSED', rejection: problem.refusal };
    if (problem.kind === 'RESERVATION_RELEASED')
      return { kind: 'REFUSED', rejection: { reason: problem.kind, items: [] } };
    return { kind: 'UNKNOWN', cause: error };
  }
}
