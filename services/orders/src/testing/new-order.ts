import { randomUUID, randomUUIDv7 } from 'node:crypto';
import { fingerprintOf } from '../order/order.ts';
import type { NewOrder } from '../order/order-store.ts';

/** An order of one A, under a request_id of its own. */
export function newOrder({
  customerId = 'alice',
  requestId = randomUUID(),
  lines = [{ sku: 'A', quantity: 1 }],
}: Partial<NewOrder> = {}): NewOrder {
  return { id: randomUUIDv7(), customerId, requestId, lines, fingerprint: fingerprintOf(lines) };
}
