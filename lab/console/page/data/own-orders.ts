import { OrderService } from '@acme/gen/orders/v1/order_service_pb';
import { ErrorInfoSchema } from '@acme/rpc/gen/google/rpc/error_details_pb';
import { ConnectError } from '@connectrpc/connect';
import type { AcknowledgedRequest } from '../../api.ts';
import { postJson } from './console-api.ts';
import { type OrderState, stateOf } from './known-orders.ts';
import { orders } from './orders.ts';
import { clientOf, session } from './session.ts';
import { itemsInStock } from './stock.ts';

/** An order that this page places. It is sent again with the same id until its outcome is known. */
export interface OwnOrder {
  readonly requestId: string;
  readonly customerId: string;
  readonly units: Readonly<Record<string, number>>;
}

export interface Placed {
  readonly orderId: string;
  readonly state: OrderState;
}

const maxOwn = 100;
const maxLines = 3;
const maxUnits = 3;
const own = new Map<string, OwnOrder>();

/** Returns a new order of one to three items that are in stock. */
export function randomOrder(): OwnOrder {
  const items = itemsInStock();
  const lines = Array.from(
    { length: 1 + random(maxLines) },
    () => items[random(items.length)]?.sku ?? 'SAT-0001',
  );
  return {
    requestId: crypto.randomUUID(),
    customerId: session.value?.customers[0] ?? '',
    units: Object.fromEntries(lines.map((sku) => [sku, 1 + random(maxUnits)])),
  };
}

/**
 * Places the order, and reports it to the books.
 *
 * @throws ConnectError when the outcome is unknown.
 */
export async function placeOwn(order: OwnOrder): Promise<Placed> {
  const placed = await place(order);
  own.set(placed.orderId, order);
  const [oldest] = own.keys();
  if (own.size > maxOwn && oldest !== undefined) own.delete(oldest);
  await acknowledge(order, placed);
  return placed;
}

async function place({ requestId, customerId, units }: OwnOrder): Promise<Placed> {
  const lines = Object.entries(units).map(([sku, quantity]) => ({ sku, quantity }));
  try {
    const { order } = await clientOf('orders', OrderService).placeOrder(
      { requestId, customerId, lines },
      { timeoutMs: 5000 },
    );
    if (!order) throw new Error('orders returned no order');
    orders.take(order);
    return { orderId: order.id, state: stateOf(order.state) };
  } catch (error) {
    const [info] = ConnectError.from(error).findDetails(ErrorInfoSchema);
    const orderId = info?.metadata.order_id;
    // The order is stored as REJECTED.
    if (orderId) return { orderId, state: 'rejected' };
    throw error;
  }
}

/** Whether this page has placed the order, and may therefore cancel it: the books know its customer's acknowledgements. */
export function isOwn(orderId: string): boolean {
  return own.has(orderId);
}

/** Cancels an order that this page has placed, and reports it to the books. */
export async function cancelOwn(orderId: string, etag: string): Promise<void> {
  const placed = own.get(orderId);
  if (!placed) throw new Error('this page has not placed the order');
  const { order } = await clientOf('orders', OrderService).cancelOrder({ id: orderId, etag });
  if (!order) throw new Error('orders returned no order');
  orders.take(order);
  await acknowledge(placed, { orderId, state: 'cancelled' });
}

async function acknowledge(order: OwnOrder, { orderId, state }: Placed): Promise<void> {
  const acknowledged: AcknowledgedRequest = {
    ...order,
    orderId,
    state: state.toUpperCase() as AcknowledgedRequest['state'],
  };
  await postJson('/api/acknowledged', acknowledged);
}

function random(below: number): number {
  return Math.floor(Math.random() * below);
}
