import { OrderService } from '@acme/gen/orders/v1/order_service_pb';
import { methodPath } from '@acme/rpc/contract';
import { Code } from '@acme/rpc/errors';
import { fromBinary } from '@bufbuild/protobuf';
import { answerWithin, connectGrpc, messagesOf, requestOf } from '../wire/grpc-calls.ts';
import { type AttackSetup, attackerSubject, scopesOf } from './attack.ts';

export interface OrderHistory {
  /** Number of orders. Each has two events. */
  readonly orders: number;
  readonly linesPerOrder: number;
}

const callTimeoutMs = 30_000;

/**
 * Creates orders of the attacker, REJECTED because their SKUs are unknown. One is placed, the others are copies of its
 * rows: placing hundreds would take minutes under the quota.
 *
 * @returns A resume token from before the first order.
 */
export async function makeOrderHistory(
  setup: AttackSetup,
  { orders, linesPerOrder }: OrderHistory,
): Promise<string> {
  const { replica, cluster } = setup;
  const token = await cluster.token(attackerSubject, scopesOf.orders);
  const { placeOrder, watchOrders } = OrderService.method;
  using connection = connectGrpc(replica.port);
  const { stream } = connection.call(methodPath(watchOrders), requestOf(watchOrders, {}), { token });
  if (!stream) throw new Error('the attacker cannot watch its orders');
  const first = await messagesOf(stream).next();
  const { resumeToken } = fromBinary(watchOrders.output, first.value ?? Buffer.alloc(0));
  const lines = Array.from({ length: linesPerOrder }, (_, index) => ({
    sku: `unknown-${index}`.padEnd(60, 'x'),
    quantity: 1,
  }));
  const request = requestOf(placeOrder, { requestId: crypto.randomUUID(), lines });
  const answer = await answerWithin(
    connection.call(methodPath(placeOrder), request, { token }),
    callTimeoutMs,
  );
  if (answer.code !== Code.NOT_FOUND)
    throw new Error(`an order of unknown SKUs was answered ${answer.code} ${answer.message}`);
  // Copies all columns, whichever there are. The events get new sequence numbers.
  await cluster.ordersDatabase.query(
    `WITH copies AS (
       INSERT INTO orders
       SELECT (jsonb_populate_record(
         original, jsonb_build_object('id', gen_random_uuid(), 'request_id', gen_random_uuid())
       )).*
       FROM orders AS original, generate_series(2, $2::int)
       WHERE customer_id = $1
       RETURNING id
     )
     INSERT INTO order_events OVERRIDING USER VALUE
     SELECT (jsonb_populate_record(event, jsonb_build_object('order_id', copies.id))).*
     FROM copies, order_events AS event
     WHERE event.order_id = (SELECT id FROM orders WHERE customer_id = $1)
     ORDER BY copies.id, event.version`,
    [attackerSubject, orders],
  );
  return resumeToken;
}
