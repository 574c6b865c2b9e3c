import type { IdRange } from '@acme/lab/harness/stored-orders';

/** Returns the ids of the orders that are placed between two times. */
export function placedBetween(afterMs: number, beforeMs: number): IdRange {
  return { after: firstIdAt(afterMs), before: firstIdAt(beforeMs) };
}

/** Returns the time at which an order was placed, in Unix ms, by its id. */
export function placedAtMs(id: string): number {
  return Number.parseInt(id.replace('-', '').slice(0, 12), 16);
}

/** Returns the smallest id of an order that is placed at a time, in Unix ms: ids are UUIDs of version 7 (RFC 9562). */
function firstIdAt(timeMs: number): string {
  const hex = Math.floor(timeMs).toString(16).padStart(12, '0');
  return `${hex.slice(0, 8)}-${hex.slice(8)}-0000-0000-000000000000`;
}
