import { setTimeout as sleep } from 'node:timers/promises';
import { Order_State } from '@acme/gen/orders/v1/order_pb';
import { OrderService } from '@acme/gen/orders/v1/order_service_pb';
import { type Client, createClient } from '@acme/rpc/client';
import { RpcError } from '@acme/rpc/errors';
import { ErrorInfoSchema } from '@acme/rpc/gen/google/rpc/error_details_pb';
import { callUntilAccepted } from '@acme/rpc/testing';
import type { PairAccess } from '../pair/pair.ts';
import { type RetailOrder, uuidOf } from './retail-file.ts';

/** An invoice and the outcome of its order. */
export interface PlacedInvoice {
  readonly order: RetailOrder;
  readonly outcome: 'confirmed' | 'rejected';
  /** Duration of the PlaceOrder call. */
  readonly durationMs: number;
}

export interface PlaceAllOptions {
  readonly pair: PairAccess;
  readonly orders: readonly RetailOrder[];
  /** Name of the replay. A second replay with the same name finds its orders placed. */
  readonly name: string;
  /** Number of concurrent calls. */
  readonly concurrency: number;
  readonly onPlaced: (done: number) => void;
}

const settleTimeoutMs = 30_000;
const pollMs = 100;

/**
 * Places every order, `concurrency` at a time, and waits until the PENDING ones are settled.
 *
 * @throws RpcError for every failure except OUT_OF_STOCK.
 */
export async function placeAll({
  pair,
  orders,
  name,
  concurrency,
  onPlaced,
}: PlaceAllOptions): Promise<PlacedInvoice[]> {
  const scopes = ['orders:read', 'orders:write', 'orders:read:any', 'orders:write:any'];
  const token = await pair.token('replay', scopes);
  const { ordersTarget: target, credentials } = pair;
  using client = createClient(OrderService, { target, credentials, token: () => token });
  const placed: PlacedInvoice[] = [];
  const waiting = orders[Symbol.iterator]();
  const work = async () => {
    for (const order of waiting) {
      placed.push(await place(client, order, uuidOf(name, order.invoice)));
      onPlaced(placed.length);
    }
  };
  await Promise.all(Array.from({ length: concurrency }, work));
  return placed;
}

async function place(
  client: Client<typeof OrderService>,
  order: RetailOrder,
  requestId: string,
): Promise<PlacedInvoice> {
  const startMs = performance.now();
  try {
    const { order: answered } = await callUntilAccepted(() =>
      client.placeOrder({ requestId, customerId: order.customer, lines: [...order.lines] }),
    );
    const durationMs = performance.now() - startMs;
    const state =
      answered?.state === Order_State.PENDING ? await settled(client, answered.id) : answered?.state;
    return { order, outcome: outcomeOf(state, order.invoice), durationMs };
  } catch (error) {
    const reason = error instanceof RpcError ? error.findDetail(ErrorInfoSchema)?.reason : undefined;
    if (reason !== 'OUT_OF_STOCK') throw error;
    return { order, outcome: 'rejected', durationMs: performance.now() - startMs };
  }
}

async function settled(client: Client<typeof OrderService>, id: string): Promise<Order_State> {
  const deadlineMs = performance.now() + settleTimeoutMs;
  for (;;) {
    const { order } = await callUntilAccepted(() => client.getOrder({ id }));
    if (order && order.state !== Order_State.PENDING) return order.state;
    if (performance.now() > deadlineMs)
      throw new Error(`order ${id} was not settled in ${settleTimeoutMs / 1000} s`);
    await sleep(pollMs);
  }
}

function outcomeOf(state: Order_State | undefined, invoice: string): PlacedInvoice['outcome'] {
  if (state === Order_State.CONFIRMED) return 'confirmed';
  if (state === Order_State.REJECTED) return 'rejected';
  throw new Error(`the order of invoice ${invoice} is neither confirmed nor rejected`);
}
