import type { ListOrdersRequest, ListOrdersResponse } from '@acme/gen/orders/v1/order_service_pb';
import type { KnownOrders } from './known-orders.ts';

const pageSize = 200;

export type ListPage = (
  page: Pick<ListOrdersRequest, 'pageSize' | 'pageToken'>,
) => Promise<Pick<ListOrdersResponse, 'orders' | 'nextPageToken'>>;

/**
 * Takes a customer's newest orders, after a time in which the page saw no changes. Further pages settle the orders that were
 * pending before. One that is still not listed after `maxOrders` orders is forgotten.
 *
 * @param list Returns a page of the customer's orders, the newest first.
 */
export async function listKnown(
  orders: KnownOrders,
  customerId: string,
  maxOrders: number,
  list: ListPage,
): Promise<void> {
  const unseen = new Set(orders.pendingOf(customerId));
  let listed = 0;
  for (let pageToken = ''; ; ) {
    const page = await list({ pageSize, pageToken });
    // Orders of further pages would come after newer ones.
    for (const order of page.orders.toReversed())
      if (pageToken === '' || orders.get(order.id)) orders.take(order);
    for (const { id } of page.orders) unseen.delete(id);
    listed += page.orders.length;
    pageToken = page.nextPageToken;
    if (unseen.size === 0 || pageToken === '' || listed >= maxOrders) break;
  }
  for (const id of unseen) orders.forget(id);
}
