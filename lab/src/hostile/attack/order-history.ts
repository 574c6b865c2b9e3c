import { OrderService } from '@acme/gen/orders/v1/order_service_pb';
import { Code } from '@acme/rpc/errors/rpc-error';
import { fromBinary } from '@bufbuild/protobuf';
import { answerWithin, connectGrpc, messagesOf, pathOf, requestOf } from '../wire/grpc-calls.ts';
import { attackerSubject, type Stage, scopesOf } from './attack.ts';

export interface OrderHistory {
  /** Orders, each with two events. */
  readonly orders: number;
  readonly linesPerOrder: number;
}

const callTimeoutMs = 30_000;

/**
 * Gives the attacker orders, REJECTED because their SKUs are unknown. One is placed, the others are copies of its rows:
 * placing hundreds would take minutes under a quota.
 *
 * @returns A resume token from before all of them.
 */
export async function makeOrderHistory(
  stage: Stage,
  { orders, linesPerOrder }: OrderHistory,
): Promise<string> {
  const { replica, rig } = stage;
  const token = await rig.token(attackerSubject, scopesOf.orders);
  const { placeOrder, watchOrders } = OrderService.method;
  using connection = connectGrpc(replica.port);
  const { stream } = connection.call(pathOf(watchOrders), requestOf(watchOrders, {}), { token });
  if (!stream) throw new Error('the attacker cannot watch its orders');
  const first = await messagesOf(stream).next();
  const { resumeToken } = fromBinary(watchOrders.output, first.value ?? Buffer.alloc(0));
  const lines = Array.from({ length: linesPerOrder }, (_, index) => ({
    sku: `unknown-${index}`.padEnd(60, 'x'),
    quantity: 1,
  }));
  const request = requestOf(placeOrder, { requestId: crypto.randomUUID(), lines });
  const answer = await answerWithin(connection.call(pathOf(placeOrder), request, { token }), callTimeoutMs);
  if (answer.code !== Code.NOT_FOUND)
    throw new Error(`an order of unknown SKUs was answered ${answer.code} ${answer.message}`);
  // Rows are copied whole, whatever columns they have. Events get numbers of their own.
  await rig.ordersDatabase.query(
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
