import { badRequest } from '../errors/bad-request.ts';
import { createEncryptedCursors, type EncryptionKeys } from './encrypted-cursor.ts';

/** Makes and reads the page tokens of a method (AIP-158). */
export interface PageTokens {
  /** The token that continues a listing with these filters after the cursor. */
  encrypt(filters: readonly string[], cursor: string): string;
  /**
   * The cursor of a token, undefined for the empty one. Throws INVALID_ARGUMENT for a token that this service did not
   * make, or made for other filters.
   */
  decrypt(filters: readonly string[], token: string): string | undefined;
}

/**
 * Page tokens that hold the cursor, sealed; see `createEncryptedCursors`.
 *
 * @param keys A secret of at least 16 bytes, or secrets that rotate.
 * @param method The method's name; tokens of another method are refused.
 */
export function createPageTokens(keys: Uint8Array | EncryptionKeys, method: string): PageTokens {
  const cursors = createEncryptedCursors(keys, method);
  return {
    encrypt: cursors.encrypt,
    decrypt: (filters, token) => {
      if (token === '') return undefined;
      const cursor = cursors.decrypt(filters, token);
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
