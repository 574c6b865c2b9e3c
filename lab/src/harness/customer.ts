import { setTimeout as sleep } from 'node:timers/promises';
import { ErrorInfoSchema } from '@acme/gen/google/rpc/error_details_pb';
import { type Order, Order_State } from '@acme/gen/orders/v1/order_pb';
import { OrderService } from '@acme/gen/orders/v1/order_service_pb';
import { type Client, createClient } from '@acme/rpc/client/create-client';
import type { CallOptions } from '@acme/rpc/client/outgoing-call/call-options';
import { Code, codeName, RpcError } from '@acme/rpc/errors/rpc-error';
import type { Call, Outcome, Wish } from './history.ts';
import type { Answer } from './invariants.ts';
import type { Random } from './seeded-random.ts';

/** Customers at the front of orders. Every call is written down. */
export interface Customers extends Disposable {
  readonly client: Client<typeof OrderService>;
  /** For opening others, at another target. */
  readonly options: CustomersOptions;
  place(wish: Wish, options?: CallOptions): Promise<Outcome>;
  cancel(wish: Wish, orderId: string, options?: CallOptions): Promise<Outcome>;
  get(wish: Wish, orderId: string, options?: CallOptions): Promise<Outcome>;
}

export interface CustomersOptions {
  readonly target: string;
  /** May place, read and cancel the orders of any customer. */
  readonly token: string;
  readonly onCall: (call: Call) => void;
}

/** What says that a call ended, and not what it did. */
const unknownCodes = new Set([
  Code.UNAVAILABLE,
  Code.DEADLINE_EXCEEDED,
  Code.CANCELLED,
  Code.INTERNAL,
  Code.UNKNOWN,
  // Of one attempt it says that nothing was done, but the client may have made others before.
  Code.RESOURCE_EXHAUSTED,
  Code.ABORTED,
]);

export function openCustomers(options: CustomersOptions): Customers {
  const { target, token, onCall } = options;
  const client = createClient(OrderService, { target, token: () => token });
  const record = async (
    method: Call['method'],
    wish: Wish,
    call: () => Promise<{ order?: Order | undefined }>,
  ): Promise<Outcome> => {
    const startMs = performance.now();
    const outcome = await call().then(({ order }) => outcomeOf(order), failureOf);
    onCall({ method, wish, startMs, endMs: performance.now(), outcome });
    return outcome;
  };
  return {
    client,
    options,
    place: (wish, callOptions) =>
      record('place', wish, () => {
        const lines = Object.entries(wish.units).map(([sku, quantity]) => ({ sku, quantity }));
        const { requestId, customerId } = wish;
        return client.placeOrder({ requestId, customerId, lines }, callOptions);
      }),
    cancel: (wish, id, options) => record('cancel', wish, () => client.cancelOrder({ id }, options)),
    get: (wish, id, options) => record('get', wish, () => client.getOrder({ id }, options)),
    [Symbol.dispose]: () => client[Symbol.dispose](),
  };
}

const stateNames: Record<Order_State, Answer['state'] | undefined> = {
  [Order_State.UNSPECIFIED]: undefined,
  [Order_State.PENDING]: 'PENDING',
  [Order_State.CONFIRMED]: 'CONFIRMED',
  [Order_State.REJECTED]: 'REJECTED',
  [Order_State.CANCELLED]: 'CANCELLED',
};

function outcomeOf(order: Order | undefined): Outcome {
  const state = order && stateNames[order.state];
  if (!state) return { kind: 'refused', code: 'OK', reason: 'an answer without an order', orderId: '' };
  return { kind: 'ok', orderId: order.id, state };
}

function failureOf(error: unknown): Outcome {
  if (!(error instanceof RpcError)) throw error;
  const code = codeName(error.code);
  if (unknownCodes.has(error.code)) return { kind: 'unknown', code, message: error.message };
  const info = error.detail(ErrorInfoSchema);
  return { kind: 'refused', code, reason: info?.reason ?? code, orderId: info?.metadata.order_id ?? '' };
}

/** Makes a call again and again, as customers do, until something definite is said; the last outcome. */
export async function untilDefinite(
  random: Random,
  until: { readonly giveUp: boolean },
  call: () => Promise<Outcome>,
): Promise<Outcome> {
  for (;;) {
    const outcome = await call();
    if (outcome.kind !== 'unknown' || until.giveUp) return outcome;
    await sleep(random.int(50, 250));
  }
}
