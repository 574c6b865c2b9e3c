import { randomUUID } from 'node:crypto';
import { type Order, Order_State } from '@acme/gen/orders/v1/order_pb';
import { RpcError } from '@acme/rpc/errors';
import { ErrorInfoSchema } from '@acme/rpc/gen/google/rpc/error_details_pb';
import { callUntilAccepted } from '@acme/rpc/testing';
import { linesOf } from '@acme/test/support/order-lines';
import type { Clients, TestPair } from '@acme/test/support/start-test-pair';
import fc from 'fast-check';
import type { Acknowledgement } from './invariants.ts';

/** Calls of two customers for a few scarce SKUs. */
export interface Traffic {
  /** Units on hand, by the index of the SKU. */
  readonly stock: readonly number[];
  /** Requested orders. Each may be requested many times. */
  readonly purchases: readonly {
    readonly customer: number;
    readonly units: Readonly<Record<number, number>>;
  }[];
  /** Calls, each with the index of its purchase and its replica. */
  readonly calls: readonly {
    readonly kind: 'place' | 'cancel';
    readonly purchase: number;
    readonly replica: number;
  }[];
}

const skuCount = 3;
const callsAtOnce = 8;

/** Generates traffic for this many purchases, each of which is placed or cancelled many times. */
export function anyTraffic({
  purchases,
  calls,
}: {
  purchases: number;
  calls: number;
}): fc.Arbitrary<Traffic> {
  const units = fc.dictionary(fc.nat(skuCount - 1).map(String), fc.integer({ min: 1, max: 3 }), {
    minKeys: 1,
  });
  const call = fc.record({
    kind: fc.constantFrom('place', 'place', 'place', 'cancel'),
    purchase: fc.nat(purchases - 1),
    replica: fc.nat(1),
  });
  return fc.record({
    stock: fc.array(fc.nat(purchases), { minLength: skuCount, maxLength: skuCount }),
    purchases: fc.array(fc.record({ customer: fc.nat(1), units }), {
      minLength: purchases,
      maxLength: purchases,
    }),
    calls: fc.array(call, { minLength: calls, maxLength: calls }),
  });
}

const stateNames: Record<Order_State, Acknowledgement['state'] | undefined> = {
  [Order_State.UNSPECIFIED]: undefined,
  [Order_State.PENDING]: 'PENDING',
  [Order_State.CONFIRMED]: 'CONFIRMED',
  [Order_State.REJECTED]: 'REJECTED',
  [Order_State.CANCELLED]: 'CANCELLED',
};

/**
 * Sends the traffic, `callsAtOnce` calls at a time. Returns every acknowledgement.
 *
 * @param name Prefix of the SKUs and customers, unique for each run.
 * @throws RpcError for a failure that the contract does not foresee.
 */
export async function send(pair: TestPair, name: string, traffic: Traffic): Promise<Acknowledgement[]> {
  const skuOf = (index: number | string) => `${name}-${index}`;
  await pair.setStock(Object.fromEntries(traffic.stock.map((count, index) => [skuOf(index), count])));
  const purchases = traffic.purchases.map(({ customer, units }) => ({
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
  const answers: Acknowledgement[] = [];
  const orderIds = new Map<number, string>();

  const make = async ({ kind, purchase: index, replica }: Traffic['calls'][number]) => {
    const purchase = purchases[index];
    const orders = clients.get(`${purchase?.customerId} ${replica}`)?.orders;
    if (!purchase || !orders) throw new Error(`no purchase has the index ${index}`);
    const keep = (orderId: string, state: Acknowledgement['state'] | undefined) => {
      if (!state) throw new Error(`order ${orderId} was returned without a state`);
      orderIds.set(index, orderId);
      answers.push({ ...purchase, orderId, state });
    };
    const keepOrder = ({ order }: { order?: Order | undefined }) =>
      order && keep(order.id, stateNames[order.state]);
    const id = orderIds.get(index);
    try {
      if (kind === 'place')
        keepOrder(
          await callUntilAccepted(() =>
            orders.placeOrder({ requestId: purchase.requestId, lines: linesOf(purchase.units) }),
          ),
        );
      else if (id) keepOrder(await callUntilAccepted(() => orders.cancelOrder({ id })));
    } catch (error) {
      const info = error instanceof RpcError ? error.findDetail(ErrorInfoSchema) : undefined;
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
