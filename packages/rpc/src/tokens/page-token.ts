import type { EncryptionKeys } from './encrypted-cursor.ts';
import { createOpaqueTokens, type OpaqueTokens } from './opaque-token.ts';

/** Issues and checks the page tokens of a method (AIP-158). */
export type PageTokens = OpaqueTokens;

/**
 * Returns the page tokens of a method. A token holds the cursor of the last item of a page.
 *
 * @param method The method's name; tokens of another method are rejected.
 */
export function createPageTokens(keys: EncryptionKeys, method: string): PageTokens {
  return createOpaqueTokens(keys, method, {
    field: 'page_token',
    description: 'must be the next_page_token of a page that was listed with the same filters',
    reason: 'page_token.forged',
  });
}

/** Returns the page size to serve: 50 for 0, at most 200 (AIP-158). */
export function pageSizeOf(requested: number): number {
  return requested === 0 ? 50 : Math.min(requested, 200);
}
