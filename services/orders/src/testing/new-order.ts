import { randomUUID, randomUUIDv7 } from 'node:crypto';
import { fingerprintOf } from '../order/order.ts';
import type { NewOrder } from '../order/placement-store.ts';

/** Returns a new order with its own request_id: one unit of the SKU A by default. */
export function newOrder({
  customerId = 'alice',
  requestId = randomUUID(),
  lines = [{ sku: 'A', quantity: 1 }],
}: Partial<NewOrder> = {}): NewOrder {
  return { id: randomUUIDv7(), customerId, requestId, lines, fingerprint: fingerprintOf(lines) };
}
