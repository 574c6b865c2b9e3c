import { createHash, createHmac, timingSafeEqual } from 'node:crypto';

/** Seals cursors into tokens that callers cannot read anything into. */
export interface SealedCursors {
  /** The token for this cursor, good with these filters only. */
  seal(filters: readonly string[], cursor: string): string;
  /** The cursor of a token; undefined for one that was not made here, or made for other filters. */
  open(filters: readonly string[], token: string): string | undefined;
}

const macBytes = 16;

/**
 * Tokens that hold a cursor and are authenticated with a key that all replicas share: opaque to the caller, valid on every
 * replica, and good for nothing once altered or sent with other filters.
 *
 * @param key Secret, at least 16 bytes.
 * @param method The method's name; tokens of another method are refused.
 */
export function sealedCursors(key: Uint8Array, method: string): SealedCursors {
  const macOf = (filters: readonly string[], cursor: Uint8Array) =>
    createHmac('sha256', key)
      .update(
        createHash('sha256')
          .update(JSON.stringify([method, filters]))
          .digest(),
      )
      .update(cursor)
      .digest()
      .subarray(0, macBytes);
  return {
    seal: (filters, cursor) => {
      const bytes = Buffer.from(cursor, 'utf8');
      return Buffer.concat([macOf(filters, bytes), bytes]).toString('base64url');
    },
    open: (filters, token) => {
      const bytes = Buffer.from(token, 'base64url');
      const [mac, cursor] = [bytes.subarray(0, macBytes), bytes.subarray(macBytes)];
      const isOurs = mac.length === macBytes && timingSafeEqual(mac, macOf(filters, cursor));
      return isOurs ? cursor.toString('utf8') : undefined;
    },
  };
}
