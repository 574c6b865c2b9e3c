import { setTimeout as sleep } from 'node:timers/promises';
import { type Order, Order_State } from '@acme/gen/orders/v1/order_pb';
import { OrderService } from '@acme/gen/orders/v1/order_service_pb';
import {
  type CallOptions,
  type ChannelCredentials,
  type Client,
  createClient,
  type TokenSource,
} from '@acme/rpc/client';
import { Code, codeName, RpcError } from '@acme/rpc/errors';
import { ErrorInfoSchema } from '@acme/rpc/gen/google/rpc/error_details_pb';
import type { Call, Outcome, Purchase } from './history.ts';
import type { Acknowledgement } from './invariants.ts';
import type { Random } from './seeded-random.ts';

/** A client of orders that records every call. */
export interface Customers extends Disposable {
  readonly client: Client<typeof OrderService>;
  /** The options of this client, for opening another one at a different target. */
  readonly options: CustomersOptions;
  place(purchase: Purchase, options?: CallOptions): Promise<Outcome>;
  cancel(purchase: Purchase, orderId: string, options?: CallOptions): Promise<Outcome>;
  get(purchase: Purchase, orderId: string, options?: CallOptions): Promise<Outcome>;
}

export interface CustomersOptions {
  readonly target: string;
  /** Plain text when absent. */
  readonly credentials?: ChannelCredentials | undefined;
  /** A token that may place, read and cancel the orders of any customer, or its source. */
  readonly token: string | TokenSource;
  readonly onCall: (call: Call) => void;
}

/** Codes that do not tell whether the call had an effect. */
const unknownCodes = new Set([
  Code.UNAVAILABLE,
  Code.DEADLINE_EXCEEDED,
  Code.CANCELLED,
  Code.INTERNAL,
  Code.UNKNOWN,
  // It says that the last attempt had no effect, but the client may have made earlier ones.
  Code.RESOURCE_EXHAUSTED,
  Code.ABORTED,
]);

export function openCustomers(options: CustomersOptions): Customers {
  const { target, credentials, token, onCall } = options;
  const source = typeof token === 'string' ? () => token : token;
  const client = createClient(OrderService, { target, credentials, token: source });
  const record = async (
    method: Call['method'],
    purchase: Purchase,
    call: () => Promise<{ order?: Order | undefined }>,
  ): Promise<Outcome> => {
    const startMs = performance.now();
    const outcome = await call().then(({ order }) => outcomeOf(order), failureOf);
    onCall({ method, purchase, startMs, endMs: performance.now(), outcome });
    return outcome;
  };
  return {
    client,
    options,
    place: (purchase, callOptions) =>
      record('place', purchase, () => {
        const lines = Object.entries(purchase.units).map(([sku, quantity]) => ({ sku, quantity }));
        const { requestId, customerId } = purchase;
        return client.placeOrder({ requestId, customerId, lines }, callOptions);
      }),
    cancel: (purchase, id, options) => record('cancel', purchase, () => client.cancelOrder({ id }, options)),
    get: (purchase, id, options) => record('get', purchase, () => client.getOrder({ id }, options)),
    [Symbol.dispose]: () => client[Symbol.dispose](),
  };
}

const stateNames: Record<Order_State, Acknowledgement['state'] | undefined> = {
  [Order_State.UNSPECIFIED]: undefined,
  [Order_State.PENDING]: 'PENDING',
  [Order_State.CONFIRMED]: 'CONFIRMED',
  [Order_State.REJECTED]: 'REJECTED',
  [Order_State.CANCELLED]: 'CANCELLED',
};

function outcomeOf(order: Order | undefined): Outcome {
  const state = order && stateNames[order.state];
  if (!state) return { kind: 'rejected', code: 'OK', reason: 'a response without an order', orderId: '' };
  return { kind: 'ok', orderId: order.id, state };
}

function failureOf(error: unknown): Outcome {
  if (!(error instanceof RpcError)) throw error;
  const code = codeName(error.code);
  if (unknownCodes.has(error.code)) return { kind: 'unknown', code, message: error.message };
  const info = error.findDetail(ErrorInfoSchema);
  return { kind: 'rejected', code, reason: info?.reason ?? code, orderId: info?.metadata.order_id ?? '' };
}

/** Repeats a call until its outcome is known, or until `giveUp` is set. Returns the last outcome. */
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
