import { invalidArgument } from '../errors/invalid-argument.ts';
import { createEncryptedCursors, type EncryptionKeys } from './encrypted-cursor.ts';

/** Tokens of one method that a response carries and a later request returns. */
export interface OpaqueTokens {
  /** Returns the token that continues after the cursor, valid with these filters only. */
  encrypt(filters: readonly string[], cursor: string): string;
  /**
   * Returns the cursor of a token, undefined for an empty one.
   *
   * @throws RpcError INVALID_ARGUMENT for a token that was not issued by this method or was issued for other filters.
   */
  decrypt(filters: readonly string[], token: string): string | undefined;
}

/** The violation that rejects a token. */
export interface TokenViolation {
  /** The field of the request. */
  readonly field: string;
  readonly description: string;
  readonly reason: string;
}

/** Returns tokens that hold an encrypted cursor and are valid on every replica; see `createEncryptedCursors`. */
export function createOpaqueTokens(
  keys: EncryptionKeys,
  method: string,
  violation: TokenViolation,
): OpaqueTokens {
  const cursors = createEncryptedCursors(keys, method);
  return {
    encrypt: cursors.encrypt,
    decrypt: (filters, token) => {
      if (token === '') return undefined;
      const cursor = cursors.decrypt(filters, token);
      if (cursor === undefined) throw invalidArgument([violation]);
      return cursor;
    },
  };
}
