import { randomUUID } from 'node:crypto';
import { ErrorInfoSchema } from '@acme/gen/google/rpc/error_details_pb';
import { type Order, Order_State } from '@acme/gen/orders/v1/order_pb';
import { RpcError } from '@acme/rpc/errors/rpc-error';
import { patiently } from '@acme/rpc/testing/call-until-accepted';
import { linesOf } from '@acme/test/support/order-lines';
import type { Clients, TestPair } from '@acme/test/support/start-test-pair';
import fc from 'fast-check';
import type { Answer } from './invariants.ts';

/** What a few customers do, over a few SKUs of which there is too little. */
export interface Traffic {
  /** Units of each SKU, by its number. */
  readonly stock: readonly number[];
  /** Orders that somebody wants; each may be asked for many times. */
  readonly wishes: readonly { readonly customer: number; readonly units: Readonly<Record<number, number>> }[];
  /** What is sent, and to which replica. */
  readonly calls: readonly {
    readonly kind: 'place' | 'cancel';
    readonly wish: number;
    readonly replica: number;
  }[];
}

const skuCount = 3;
const callsAtOnce = 8;

/** Traffic about this many orders, each of which is asked for, or cancelled, many times. */
export function anyTraffic({ wishes, calls }: { wishes: number; calls: number }): fc.Arbitrary<Traffic> {
  const units = fc.dictionary(fc.nat(skuCount - 1).map(String), fc.integer({ min: 1, max: 3 }), {
    minKeys: 1,
  });
  const call = fc.record({
    kind: fc.constantFrom('place', 'place', 'place', 'cancel'),
    wish: fc.nat(wishes - 1),
    replica: fc.nat(1),
  });
  return fc.record({
    stock: fc.array(fc.nat(wishes), { minLength: skuCount, maxLength: skuCount }),
    wishes: fc.array(fc.record({ customer: fc.nat(1), units }), {
      minLength: wishes,
      maxLength: wishes,
    }),
    calls: fc.array(call, { minLength: calls, maxLength: calls }),
  });
}

const stateNames: Record<Order_State, Answer['state'] | undefined> = {
  [Order_State.UNSPECIFIED]: undefined,
  [Order_State.PENDING]: 'PENDING',
  [Order_State.CONFIRMED]: 'CONFIRMED',
  [Order_State.REJECTED]: 'REJECTED',
  [Order_State.CANCELLED]: 'CANCELLED',
};

/**
 * Sends the traffic, some calls at a time; every answer that promises something. Throws what no customer should ever
 * be told.
 *
 * @param name Makes the SKUs and customers those of this run alone.
 */
export async function send(pair: TestPair, name: string, traffic: Traffic): Promise<Answer[]> {
  const skuOf = (index: number | string) => `${name}-${index}`;
  await pair.setStock(Object.fromEntries(traffic.stock.map((count, index) => [skuOf(index), count])));
  const wishes = traffic.wishes.map(({ customer, units }) => ({
    customerId: `${name}-customer-${customer}`,
    requestId: randomUUID(),
    units: Object.fromEntries(Object.entries(units).map(([index, count]) => [skuOf(index), count])),
  }));
  const clients = new Map<string, Clients>();
  for (const customer of [0, 1])
    for (const replica of [0, 1]) {
      const customerId = `${name}-customer-${customer}`;
      clients.set(`${customerId} ${replica}`, await pair.clientsFor(customerId, undefined, replica));
    }
  const answers: Answer[] = [];
  const orderIds = new Map<number, string>();

  const make = async ({ kind, wish: index, replica }: Traffic['calls'][number]) => {
    const wish = wishes[index];
    const orders = clients.get(`${wish?.customerId} ${replica}`)?.orders;
    if (!wish || !orders) throw new Error(`there is no wish ${index}`);
    const keep = (orderId: string, state: Answer['state'] | undefined) => {
      if (!state) throw new Error(`order ${orderId} was answered without a state`);
      orderIds.set(index, orderId);
      answers.push({ ...wish, orderId, state });
    };
    const keepOrder = ({ order }: { order?: Order | undefined }) =>
      order && keep(order.id, stateNames[order.state]);
    const id = orderIds.get(index);
    try {
      if (kind === 'place')
        keepOrder(
          await patiently(() => orders.placeOrder({ requestId: wish.requestId, lines: linesOf(wish.units) })),
        );
      else if (id) keepOrder(await patiently(() => orders.cancelOrder({ id })));
    } catch (error) {
      const info = error instanceof RpcError ? error.detail(ErrorInfoSchema) : undefined;
      if (info?.reason !== 'OUT_OF_STOCK' && info?.reason !== 'ORDER_REJECTED') throw error;
      keep(info.metadata.order_id ?? '', 'REJECTED');
    }
  };
  const waiting = traffic.calls[Symbol.iterator]();
  const work = async () => {
    for (const call of waiting) await make(call);
  };
  await Promise.all(Array.from({ length: callsAtOnce }, work));
  return answers;
}
