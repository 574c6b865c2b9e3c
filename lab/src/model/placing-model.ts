import { randomUUID, randomUUIDv7 } from 'node:crypto';
import { createReleaseStore, type ReleaseStore } from '@acme/inventory/stock/release-store';
import { createReservationStore, type ReservationStore } from '@acme/inventory/stock/reservation-store';
import { InventoryError, requireReserved, sortedLines } from '@acme/inventory/stock/stock';
import { type CancellationStore, createCancellationStore } from '@acme/orders/order/cancellation-store';
import { fingerprintOf, type Order, OrderError } from '@acme/orders/order/order';
import { createPlacementStore, type PlacementStore } from '@acme/orders/order/placement-store';
import { createSettleOrder } from '@acme/orders/settling/settle-order';
import { createSettlementStore, type SettlementStore } from '@acme/orders/settling/settlement-store';
import type { Step as OrderStep, StepOutcome } from '@acme/orders/steps/step';
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
import type { ServiceDatabases } from './service-databases.ts';

/** The durable state of both services. The model replaces the network between them with a list of messages. */
export interface Stores {
  readonly orders: PlacementStore & CancellationStore;
  readonly settlements: SettlementStore;
  readonly reservations: ReservationStore & ReleaseStore;
}

/** One step of a run. `pick` selects the order or message it applies to. */
export interface Step {
  readonly kind: 'place' | 'cancel' | 'deliver' | 'repeat' | 'lose' | 'settle' | 'wait';
  readonly pick: number;
}

/** Generates arbitrary sequences of steps. */
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

export function realStores({ ordersDatabase, inventoryDatabase }: ServiceDatabases): Stores {
  const now = () => new Date();
  return {
    orders: {
      ...createPlacementStore(ordersDatabase, { now, settleGraceMs: longMs }),
      ...createCancellationStore(ordersDatabase, now),
    },
    settlements: createSettlementStore(ordersDatabase, now),
    reservations: {
      ...createReservationStore(inventoryDatabase, now),
      ...createReleaseStore(inventoryDatabase, now),
    },
  };
}

/** Leases expire at a `wait` step only. */
const longMs = 3_600_000;
const stock = { a: 2, b: 1 };
/** The first and the last have the same request id, which is a mistake of the caller. */
const purchases = [{ a: 1, b: 1 }, { a: 2 }, { a: 1 }, { b: 1 }].map((units, index) => ({
  units,
  key: index % 3,
}));
const customerId = 'alice';

/** A message in transit between the services. */
type Message =
  | { readonly kind: 'reserve' | 'release' | 'released'; readonly order: Order }
  | { readonly kind: 'reply'; readonly order: Order; readonly answer: StepOutcome };

/** Runs the steps and settles all orders. Returns the violations on the way or at the end, a line each. */
export async function errorsAfter(
  databases: ServiceDatabases,
  stores: Stores,
  steps: readonly Step[],
): Promise<string[]> {
  await databases.reset(stock);
  const system = openSystem(stores);
  const errors: string[] = [];
  for (const step of steps) {
    errors.push(...(await system.run(step)), ...(await stockErrors(databases)));
    if (errors.length > 0) return errors;
  }
  await system.settleAll(databases);
  return [
    ...(await unsettledOrders(databases)),
    ...(await stockErrors(databases)),
    ...(await settledErrors(databases)),
    ...(await lostOrders(databases, system.acknowledged)),
    ...(await acknowledgementErrors(databases, system.acknowledged)),
  ];
}

function openSystem({ orders, settlements, reservations }: Stores) {
  const requestIds = purchases.map(() => randomUUID());
  const placed = new Map<string, Order>();
  const acknowledged: Acknowledgement[] = [];
  const network: Message[] = [];
  /** Orders that a settler has leased, and that no other settler may receive. */
  const leased = new Set<string>();

  const acknowledge = (order: Order, units: Acknowledgement['units'], requestId: string) =>
    acknowledged.push({ customerId, requestId, orderId: order.id, state: order.state, units });
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
      acknowledge(order, units, requestId);
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
        const stockStep: OrderStep = {
          name: 'stock',
          do: async () => message.answer,
          undo: async () => {},
          circuitState: () => 'closed',
        };
        const settle = createSettleOrder({
          steps: [stockStep],
          store: settlements,
          onUnsettled: () => {},
          nowMs: () => 0,
        });
        await settle(order, { deadlineMs: longMs, attempts: 1 });
        break;
      }
      case 'release':
        await reservations.release(order.id);
        network.push({ kind: 'released', order });
        break;
      case 'released':
        await settlements.markUndone(order.id);
    }
  };
  /** Leases the due orders and sends a reserve or a release for each. */
  const settle = async () => {
    const due = await settlements.leaseDue({ limit: 10, leaseMs: longMs });
    const errors = due
      .filter(({ item }) => leased.has(item.id))
      .map(({ item }) => `order ${item.id} was leased by a second settler within its lease`);
    for (const { item: order } of due) {
      leased.add(order.id);
      network.push({ kind: order.state === 'PENDING' ? 'reserve' : 'release', order });
    }
    return errors;
  };
  const deliverAll = async () => {
    for (let message = network.shift(); message; message = network.shift()) await deliver(message);
  };

  return {
    acknowledged,
    run: async ({ kind, pick }: Step): Promise<string[]> => {
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
    /** Delivers all messages and settles, until no message and no unsettled order is left. */
    settleAll: async (databases: ServiceDatabases) => {
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

/** Reserves in inventory and maps the outcome as the client in orders does. */
async function reserve(reservations: ReservationStore, { id, lines }: Order): Promise<StepOutcome> {
  const command = { id, lines: sortedLines(lines) };
  try {
    requireReserved(await reservations.reserve(command), command.lines);
    return { kind: 'DONE' };
  } catch (error) {
    if (!(error instanceof InventoryError)) throw error;
    const { problem } = error;
    if (problem.kind === 'REFUSED') return { kind: 'REFUSED', rejection: problem.refusal };
    if (problem.kind === 'RESERVATION_RELEASED')
      return { kind: 'REFUSED', rejection: { reason: problem.kind, items: [] }, mayBeDone: true };
    return { kind: 'UNKNOWN', cause: error };
  }
}
