import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { badRequest } from './interceptors/validation.ts';

/** Makes and reads the page tokens of a method (AIP-158). */
export interface PageTokens {
  /** The token that continues a listing with these filters after the cursor. */
  seal(filters: readonly string[], cursor: string): string;
  /**
   * The cursor of a token, undefined for the empty one. Throws INVALID_ARGUMENT for a token that this service did not
   * make, or made for other filters.
   */
  open(filters: readonly string[], token: string): string | undefined;
}

const macBytes = 16;

/**
 * Page tokens that hold the cursor and are authenticated with a key that all replicas share: opaque to the caller,
 * valid on every replica, and good for nothing once altered or sent with other filters.
 *
 * @param key Secret, at least 16 bytes.
 * @param method The method's name; tokens of another method are refused.
 */
export function createPageTokens(key: Uint8Array, method: string): PageTokens {
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
      if (token === '') return undefined;
      const bytes = Buffer.from(token, 'base64url');
      const [mac, cursor] = [bytes.subarray(0, macBytes), bytes.subarray(macBytes)];
      if (mac.length === macBytes && timingSafeEqual(mac, macOf(filters, cursor)))
        return cursor.toString('utf8');
      throw badRequest([
        {
          field: 'page_token',
          description: 'must be the next_page_token of a page that was listed with the same filters',
          reason: 'page_token.forged',
        },
      ]);
    },
  };
}

/** The page size to serve: 0 stands for 50, more than 200 for 200 (AIP-158). */
export function pageSizeOf(requested: number): number {
  return requested === 0 ? 50 : Math.min(requested, 200);
}
