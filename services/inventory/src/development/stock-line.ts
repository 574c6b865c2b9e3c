import type { Stock } from '@acme/gen/inventory/v1/stock_pb';
import { timestampDate } from '@bufbuild/protobuf/wkt';

/** Formats a response of WatchStock as one line. Returns undefined for a heartbeat. */
export function stockLine(response: unknown): string | undefined {
  const { stock } = response as { stock?: Stock };
  if (!stock) return undefined;
  const { updateTime, sku, onHand, reserved, available, title } = stock;
  return [
    updateTime ? timestampDate(updateTime).toISOString().slice(11, 23) : '',
    sku.padEnd(12),
    `${available} available (${onHand} on hand, ${reserved} reserved)`,
    title,
  ].join('  ');
}
