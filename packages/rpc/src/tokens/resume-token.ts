import { badRequest } from '../errors/bad-request.ts';
import { createEncryptedCursors, type EncryptionKeys } from './encrypted-cursor.ts';

/** Makes and reads the resume tokens of a method that watches. */
export interface ResumeTokens {
  /** The token that resumes a watch with these filters after this place of the feed. */
  encrypt(filters: readonly string[], place: string): string;
  /**
   * The place of a token, undefined for the empty one. Throws INVALID_ARGUMENT for a token that this service did not
   * make, or made for other filters.
   */
  decrypt(filters: readonly string[], token: string): string | undefined;
}

/**
 * Resume tokens that hold a place in a feed, sealed; see `createEncryptedCursors`. Valid on every replica.
 *
 * @param keys A secret of at least 16 bytes, or secrets that rotate.
 * @param method The method's name; tokens of another method are refused.
 */
export function createResumeTokens(keys: Uint8Array | EncryptionKeys, method: string): ResumeTokens {
  const cursors = createEncryptedCursors(keys, method);
  return {
    encrypt: cursors.encrypt,
    decrypt: (filters, token) => {
      if (token === '') return undefined;
      const cursor = cursors.decrypt(filters, token);
      if (cursor !== undefined) return cursor;
      throw badRequest([
        {
          field: 'resume_token',
          description: 'must be the resume_token of a watch with the same filters',
          reason: 'resume_token.forged',
        },
      ]);
    },
  };
}
