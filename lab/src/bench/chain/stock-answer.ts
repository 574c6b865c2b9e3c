import type { GetStockResponseSchema } from '@acme/gen/inventory/v1/inventory_service_pb';
import type { MessageInitShape } from '@bufbuild/protobuf';
import { timestampFromDate } from '@bufbuild/protobuf/wkt';

const updateTime = new Date('2026-01-01T00:00:00Z');

/** Returns the response of every contender: one item, created for each call as in a handler. */
export function stockAnswer(sku: string): MessageInitShape<typeof GetStockResponseSchema> {
  return {
    stock: {
      sku,
      title: 'A thing of beauty',
      onHand: 1000n,
      reserved: 10n,
      available: 990n,
      updateTime: timestampFromDate(updateTime),
      etag: '42',
    },
  };
}
