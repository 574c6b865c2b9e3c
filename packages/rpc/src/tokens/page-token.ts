import { badRequest } from '../errors/bad-request.ts';
import { type SealingKeys, sealedCursors } from './encrypted-cursor.ts';

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

/**
 * Page tokens that hold the cursor, sealed; see `sealedCursors`.
 *
 * @param keys A secret of at least 16 bytes, or secrets that rotate.
 * @param method The method's name; tokens of another method are refused.
 */
export function createPageTokens(keys: Uint8Array | SealingKeys, method: string): PageTokens {
  const cursors = sealedCursors(keys, method);
  return {
    seal: cursors.seal,
    open: (filters, token) => {
      if (token === '') return undefined;
      const cursor = cursors.open(filters, token);
      if (cursor !== undefined) return cursor;
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
